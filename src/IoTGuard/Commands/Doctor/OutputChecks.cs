using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using IoTGuard.Outputs.Delivery;
using IoTGuard.Outputs.Syslog;
using IoTGuard.Settings;

namespace IoTGuard.Commands.Doctor;

/// <summary>Whether outputs can be reached, whether certificates hold, and whether there is room where they write. No message is sent.</summary>
internal static class OutputChecks
{
    private const string Subject = "output";

    /// <summary>Longest wait for a receiver.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>How long a receiver may take to say that it refuses the sensor's certificate.</summary>
    private static readonly TimeSpan RefusalWait = TimeSpan.FromMilliseconds(500);

    /// <summary>A certificate that ends within this time is a warning.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromDays(30);

    public static IEnumerable<Finding> Of(SensorSettings settings)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var address in settings.Syslog)
        {
            if (!OutputSettings.TryParse(address, out var output, out var error))
                yield return Finding.Fault(Subject, error!, "correct it in the configuration");
            else
            {
                foreach (var finding in Of(output!, names))
                    yield return finding;
            }
        }

        foreach (var finding in settings.Outputs.SelectMany(output => Of(output, names)))
            yield return finding;
    }

    private static IEnumerable<Finding> Of(OutputSettings output, HashSet<string> names)
    {
        if (!names.Add(output.Name))
            yield return Finding.Fault(Subject, $"two outputs are called {output.Name}", "give one of them another name");
        yield return output.Kind switch
        {
            OutputKind.File => MachineChecks.Disk(Path.GetDirectoryName(output.Path)!, output.Name),
            OutputKind.Pandora => MachineChecks.Disk(output.Path, output.Name),
            _ => Receiver(output).GetAwaiter().GetResult(),
        };
        if (output.CertificateFile is not null && OwnCertificate(output) is { } own)
            yield return own;
    }

    private static async Task<Finding> Receiver(OutputSettings output)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            if (output.Kind == OutputKind.Udp)
            {
                var addresses = await Dns.GetHostAddressesAsync(output.Host, patience.Token);
                return Finding.Note(Subject, $"{output}: the name resolves to {addresses[0]}; whether UDP arrives cannot be seen", "use tcp:// or tls:// where alerts must not get lost");
            }

            var tls = output.Kind is OutputKind.Tls or OutputKind.PandoraHttps ? SyslogTls.Load(output) : null;
            using var client = new TcpClient();
            await client.ConnectAsync(output.Host, output.Port, patience.Token);
            if (tls is null)
                return Finding.Ok(Subject, $"{output} takes connections");
            await using var stream = await tls.SecureAsync(client.GetStream(), output.Host, patience.Token);
            var secure = (SslStream)stream;
            if (await Refusal(secure, patience.Token) is { } refusal)
                return Finding.Fault(Subject, $"{output}: {refusal}", "give the sensor a certificate that the receiver accepts (options cert and key), or correct what the receiver trusts");
            using var certificate = new X509Certificate2(secure.RemoteCertificate!);
            return Until(certificate, $"{output} takes connections over {secure.SslProtocol}; its certificate");
        }
        catch (UserException e)
        {
            return Finding.Fault(Subject, e.Message, "correct the file that the option names");
        }
        catch (DeliveryException e)
        {
            return Finding.Fault(Subject, $"{output}: {e.Message.TrimEnd('.')}", "correct TLS on the receiver (version, certificate, name in it), or the authority that is trusted here (ca=FILE)");
        }
        catch (OperationCanceledException)
        {
            return Finding.Fault(Subject, $"{output} does not answer within {Patience.TotalSeconds} s", "check the address, the firewall, and that the receiver runs");
        }
        catch (SocketException e)
        {
            return Finding.Fault(Subject, $"{output}: {DeliveryException.From(e).Message}", e.SocketErrorCode switch
            {
                SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => "correct the name, or the name servers in /etc/resolv.conf; an address does without them",
                SocketError.HostUnreachable or SocketError.NetworkUnreachable => "give this machine a route there: the mirror port is none, the sensor needs another interface to send from",
                _ => "check the port, the firewall, and that the receiver runs",
            });
        }
        catch (IOException e)
        {
            return Finding.Fault(Subject, $"{output}: {(e.InnerException is SocketException socket ? DeliveryException.From(socket).Message : "the receiver closed the connection")}",
                "check that the receiver speaks TLS on this port");
        }
    }

    /// <summary>Why the receiver ends the connection at once; null when it does not. With TLS 1.3 it looks at the sensor's certificate only after the handshake.</summary>
    private static async Task<string?> Refusal(SslStream stream, CancellationToken cancellation)
    {
        using var soon = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        soon.CancelAfter(RefusalWait);
        try
        {
            return await stream.ReadAsync(new byte[1], soon.Token) == 0 ? "the receiver closed the connection at once" : null;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return null;
        }
        catch (IOException e)
        {
            return TlsFault.Known(e) ?? "the receiver reset the connection at once";
        }
    }

    /// <summary>Until when the sensor's own certificate holds; null when its file cannot be used, which the receiver's line says.</summary>
    private static Finding? OwnCertificate(OutputSettings output)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(output.CertificateFile!));
            return Until(certificate, $"{output}: the sensor's own certificate");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            return null;
        }
    }

    private static Finding Until(X509Certificate2 certificate, string what)
    {
        var end = certificate.NotAfter.ToUniversalTime();
        var found = $"{what} holds until {end.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}";
        return end - DateTime.UtcNow < Soon ? Finding.Warning(Subject, found, "renew it before then: no alert is delivered afterwards") : Finding.Ok(Subject, found);
    }
}
