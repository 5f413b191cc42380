using System.Net;
using IoTGuard.Wire.Network;

namespace IoTGuard.Wire.Tests.Network;

public sealed class IpAddressTests
{
    [Theory]
    [InlineData("10.1.2.3")]
    [InlineData("255.255.255.255")]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("fe80::1")]
    [InlineData("2001:db8::1:0:0:1")]
    [InlineData("2001:db8:0:1:1:1:1:1")]
    [InlineData("2001:0:0:1::1")]
    [InlineData("1:2:3:4:5:6:7:8")]
    [InlineData("1::")]
    public void Text_round_trips(string text)
    {
        Assert.True(IpAddress.TryParse(text, out var address));
        Assert.Equal(text, address.ToString());
    }

    [Fact]
    public void Text_is_what_the_framework_writes()
    {
        var random = new Random(1);
        var bytes = new byte[16];
        for (var i = 0; i < 20_000; i++)
        {
            random.NextBytes(bytes);
            for (var group = 0; group < 8; group++)
            {
                if (random.Next(2) == 0)
                    bytes[2 * group] = bytes[(2 * group) + 1] = 0;
            }

            var expected = new IPAddress(bytes);

            // The framework writes some IPv6 forms that embed IPv4 in dotted form; those are compared by value.
            var text = IpAddress.ReadIpv6(bytes).ToString();
            Assert.Equal(expected, IPAddress.Parse(text).MapToIPv6());
            if (!expected.ToString().Contains('.', StringComparison.Ordinal))
                Assert.Equal(expected.ToString(), text);
        }
    }
}
