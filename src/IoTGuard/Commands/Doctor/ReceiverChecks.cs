using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using IoTGuard.Outputs.Delivery;
using IoTGuard.Outputs.Syslog;

namespace IoTGuard.Commands.Doctor;

/// <summary>Whether the syslog receivers can be reached, and whether their certificates hold. No message is sent.</summary>
internal static class ReceiverChecks
{
    /// <summary>Longest wait for a receiver.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>A certificate that ends within this time is a warning.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromDays(30);

    public static IEnumerable<Finding> Of(IEnumerable<string> uris) => uris.Select(static uri => Check(uri).GetAwaiter().GetResult());

    private static async Task<Finding> Check(string text)
    {
        const string subject = "receiver";
        if (!OutputSettings.TryParse(text, out var uri, out var error))
            return Finding.Fault(subject, error!, "correct it in the configuration");
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            if (!uri!.IsSyslog)
                return Finding.Ok(subject, $"{uri} is no receiver to connect to");
            if (uri.Kind == OutputKind.Udp)
            {
                var addresses = await Dns.GetHostAddressesAsync(uri.Host, patience.Token);
                return Finding.Note(subject, $"{uri}: the name resolves to {addresses[0]}; whether UDP arrives cannot be seen", "use tcp:// or tls:// where alerts must not get lost");
            }

            var tls = uri.Kind == OutputKind.Tls ? SyslogTls.Load(uri) : null;
            using var client = new TcpClient();
            await client.ConnectAsync(uri.Host, uri.Port, patience.Token);
            if (tls is null)
                return Finding.Ok(subject, $"{uri} takes connections");
            await using var stream = await tls.SecureAsync(client.GetStream(), uri.Host, patience.Token);
            var secure = (SslStream)stream;
            using var certificate = new X509Certificate2(secure.RemoteCertificate!);
            var found = $"{uri} takes connections over {secure.SslProtocol}; its certificate holds until {certificate.NotAfter.ToUniversalTime().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}";
            return certificate.NotAfter.ToUniversalTime() - DateTime.UtcNow < Soon
                ? Finding.Warning(subject, found, "renew it before then: no alert is delivered afterwards")
                : Finding.Ok(subject, found);
        }
        catch (UserException e)
        {
            return Finding.Fault(subject, e.Message, "correct the file that the URI names");
        }
        catch (DeliveryException e)
        {
            return Finding.Fault(subject, $"{uri}: {e.Message.TrimEnd('.')}", "correct the certificate on the receiver, or the authority that is trusted (ca=FILE)");
        }
        catch (OperationCanceledException)
        {
            return Finding.Fault(subject, $"{uri} does not answer within {Patience.TotalSeconds} s", "check the address, the firewall, and that the receiver runs");
        }
        catch (Exception e) when (e is SocketException or IOException or System.Security.Authentication.AuthenticationException)
        {
            return Finding.Fault(subject, $"{uri}: {e.Message.TrimEnd('.')}", "check the address, the firewall, and that the receiver runs");
        }
    }
}
