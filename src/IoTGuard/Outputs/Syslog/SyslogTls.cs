using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace IoTGuard.Outputs.Syslog;

/// <summary>TLS 1.2 or later with the receiver's certificate and name checked (RFC 5425, 4.2 and 5.2).</summary>
internal sealed class SyslogTls
{
    private readonly X509Certificate2Collection? _authorities;
    private readonly X509Certificate2? _certificate;

    private SyslogTls(X509Certificate2Collection? authorities, X509Certificate2? certificate) => (_authorities, _certificate) = (authorities, certificate);

    /// <summary>Reads the files that the URI names; when one is unusable, <paramref name="error"/> is one line that says why.</summary>
    public static bool TryLoad(SyslogUri uri, out SyslogTls? tls, out string? error)
    {
        tls = null;
        error = null;
        var file = uri.AuthorityFile;
        try
        {
            X509Certificate2Collection? authorities = null;
            if (uri.AuthorityFile is not null)
            {
                authorities = [];
                authorities.ImportFromPemFile(uri.AuthorityFile);
                if (authorities.Count == 0)
                {
                    error = $"syslog receiver {uri}: '{uri.AuthorityFile}' holds no PEM certificate";
                    return false;
                }
            }

            file = uri.KeyFile is null ? uri.CertificateFile : $"{uri.CertificateFile}' or '{uri.KeyFile}";
            var certificate = uri.CertificateFile is null ? null : X509Certificate2.CreateFromPemFile(uri.CertificateFile, uri.KeyFile);
            tls = new SyslogTls(authorities, certificate);
            return true;
        }
        catch (CryptographicException)
        {
            error = $"syslog receiver {uri}: '{file}' is no usable PEM file";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error = $"syslog receiver {uri}: '{file}' cannot be read";
        }

        return false;
    }

    /// <summary>Puts TLS over a connection to <paramref name="host"/>.</summary>
    public async Task<Stream> SecureAsync(Stream connection, string host, CancellationToken cancellation)
    {
        string? complaint = null;
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = host,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            ClientCertificates = _certificate is null ? null : [_certificate],
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            {
                complaint = Complaint(host, certificate, chain, errors);
                return errors == SslPolicyErrors.None;
            },
        };
        if (_authorities is not null)
        {
            options.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            options.CertificateChainPolicy.CustomTrustStore.AddRange(_authorities);
        }

        var secure = new SslStream(connection);
        try
        {
            await secure.AuthenticateAsClientAsync(options, cancellation);
            return secure;
        }
        catch (AuthenticationException e) when (complaint is not null)
        {
            await secure.DisposeAsync();
            throw new SyslogDeliveryException(complaint, isPermanent: true, e);
        }
        catch
        {
            await secure.DisposeAsync();
            throw;
        }
    }

    private static string? Complaint(string host, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
            return null;
        if (certificate is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
            return "the receiver showed no certificate";
        var status = X509ChainStatusFlags.NoError;
        foreach (var element in chain?.ChainStatus ?? [])
            status |= element.Status;
        if (status.HasFlag(X509ChainStatusFlags.NotTimeValid))
            return "the receiver's certificate has expired or is not yet valid";
        if ((status & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.NotSignatureValid)) != X509ChainStatusFlags.NoError)
            return "the receiver's certificate is not signed by a trusted authority (option ca=FILE names one)";
        return errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)
            ? $"the receiver's certificate is not made out for {host}"
            : $"the receiver's certificate is not valid ({status})";
    }
}
