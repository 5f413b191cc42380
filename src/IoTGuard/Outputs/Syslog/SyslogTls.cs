using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using IoTGuard.Outputs.Delivery;

namespace IoTGuard.Outputs.Syslog;

/// <summary>TLS 1.2 or later with the receiver's certificate and name checked (RFC 5425, 4.2 and 5.2).</summary>
internal sealed class SyslogTls
{
    private readonly X509Certificate2Collection? _authorities;
    private readonly X509Certificate2? _certificate;

    private readonly OutputSettings _settings;

    private SyslogTls(OutputSettings settings, X509Certificate2Collection? authorities, X509Certificate2? certificate) =>
        (_settings, _authorities, _certificate) = (settings, authorities, certificate);

    /// <summary>Reads the files that the output names; an unusable one ends the command.</summary>
    public static SyslogTls Load(OutputSettings settings)
    {
        if (TryRead(settings, out var error) is { } tls)
            return tls;
        throw new UserException(ExitStatus.Unusable, $"output {settings}: {error}");
    }

    /// <summary>The same with the files as they now are, or this one when they cannot be read: certificates are renewed while the sensor runs.</summary>
    public SyslogTls Renewed() => TryRead(_settings, out _) ?? this;

    private static SyslogTls? TryRead(OutputSettings settings, out string? error)
    {
        error = null;
        var file = settings.AuthorityFile;
        try
        {
            X509Certificate2Collection? authorities = null;
            if (settings.AuthorityFile is not null)
            {
                authorities = [];
                authorities.ImportFromPemFile(settings.AuthorityFile);
                if (authorities.Count == 0)
                {
                    error = $"'{settings.AuthorityFile}' holds no PEM certificate";
                    return null;
                }
            }

            file = settings.KeyFile is null ? settings.CertificateFile : $"{settings.CertificateFile}' or '{settings.KeyFile}";
            var certificate = settings.CertificateFile is null ? null : X509Certificate2.CreateFromPemFile(settings.CertificateFile, settings.KeyFile);
            return new SyslogTls(settings, authorities, certificate);
        }
        catch (CryptographicException)
        {
            error = $"'{file}' is no usable PEM file";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error = $"'{file}' cannot be read";
        }

        return null;
    }

    /// <summary>How TLS is spoken with <paramref name="host"/>; what is wrong with the other side's certificate is told in words.</summary>
    public SslClientAuthenticationOptions OptionsFor(string host, Action<string?> complain)
    {
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = host,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            ClientCertificates = _certificate is null ? null : [_certificate],
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            {
                complain(Complaint(host, certificate, chain, errors));
                return errors == SslPolicyErrors.None;
            },
        };
        if (_authorities is not null)
        {
            options.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            options.CertificateChainPolicy.CustomTrustStore.AddRange(_authorities);
        }

        return options;
    }

    /// <summary>Puts TLS over a connection to <paramref name="host"/>.</summary>
    public async Task<Stream> SecureAsync(Stream connection, string host, CancellationToken cancellation)
    {
        string? complaint = null;
        var options = OptionsFor(host, what => complaint = what);
        var secure = new SslStream(connection);
        try
        {
            await secure.AuthenticateAsClientAsync(options, cancellation);
            return secure;
        }
        catch (AuthenticationException e)
        {
            await secure.DisposeAsync();
            throw new DeliveryException(complaint ?? TlsFault.Of(e), isPermanent: true, e);
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
