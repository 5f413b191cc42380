using IoTGuard.Analysis.Flows;
using IoTGuard.Wire;

namespace IoTGuard.Analysis.Tests.Flows;

/// <summary>The quick look at a frame routes as the full decode does, for whole, cut and broken frames.</summary>
public sealed class FrameRouterTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void QuickLookAgreesWithTheDecoder(int seed)
    {
        var random = new Random(seed);
        var hasher = new FlowHasher(Runs.Options);
        var router = new FrameRouter(Runs.Options);
        PacketView view = default;
        var peeked = 0;
        foreach (var (_, original, _) in Traffic.Random(seed, 2000).Frames)
        {
            for (var attempt = 0; attempt < 10; attempt++)
            {
                var frame = (byte[])original.Clone();
                if (attempt > 0 && frame.Length > 0)
                {
                    for (var i = random.Next(3); i >= 0; i--)
                        frame[random.Next(Math.Min(frame.Length, 60))] = (byte)random.Next(256);
                    if (random.Next(3) == 0)
                        frame = frame[..random.Next(frame.Length)];
                }

                var header = new FrameHeader(0, 0, frame.Length, Math.Max(frame.Length, original.Length), LinkType.Ethernet);
                PacketDecoder.Decode(frame, header, ref view);
                var expected = 0;
                if (view.IsFragment)
                {
                    expected = FrameRouter.EveryShard;
                }
                else if (FlowHasher.HasFlow(view))
                {
                    hasher.KeyOf(view, out var hash, out _);
                    expected = FlowHasher.ShardOf(hash);
                    if (hasher.TryPeek(header, frame, out var quick))
                    {
                        peeked++;
                        Assert.Equal(hash, quick);
                    }
                }

                Assert.Equal(expected, router.ShardOf(header, frame));
            }
        }

        Assert.True(peeked > 2000);
    }

    [Fact]
    public void BothDirectionsMeet()
    {
        var capture = new Capture();
        new Connection(capture).Handshake();
        var router = new FrameRouter(Runs.Options);
        Assert.Single(capture.Frames.Select(f => router.ShardOf(new FrameHeader(0, 0, f.Frame.Length, f.Frame.Length, LinkType.Ethernet), f.Frame)).Distinct());
    }
}
