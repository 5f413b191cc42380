using System.Globalization;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using IoTGuard.Outputs.Delivery;
using IoTGuard.Outputs.Syslog;

namespace IoTGuard.Outputs.Pandora;

/// <summary>
/// The event API of a Pandora FMS console (<c>include/api.php</c>, <c>op=set&amp;op2=create_event</c>): an event per message, settled once the console answered
/// with the event's number. Passwords are read from files, and go in the body of the request, never into its address.
/// </summary>
internal sealed class PandoraEvents : OutputTransport
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly OutputSettings _settings;
    private readonly HttpClient _client;
    private readonly Uri _api;
    private string? _complaint;
    private int _settled;

    public PandoraEvents(OutputSettings settings, SyslogTls? tls)
    {
        _settings = settings;
        _api = new Uri($"{(settings.Kind == OutputKind.PandoraHttps ? "https" : "http")}://{settings.HostAndPort}{settings.Path.TrimEnd('/')}/include/api.php");
        var handler = new SocketsHttpHandler { ConnectTimeout = Limit, AllowAutoRedirect = false, UseProxy = false, UseCookies = false };
        if (tls is not null)
            handler.SslOptions = tls.OptionsFor(settings.Host, complaint => _complaint = complaint);
        _client = new HttpClient(handler) { Timeout = Limit, MaxResponseContentBufferSize = 64 * 1024 };
    }

    public override int Accepted => 0;

    public override async Task SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellation)
    {
        try
        {
            _complaint = null;
            using var content = new FormUrlEncodedContent(
            [
                new("op", "set"),
                new("op2", "create_event"),
                new("other", Encoding.UTF8.GetString(message.Span)),
                new("other_mode", "url_encode_separator_|"),
                new("apipass", Secret(_settings.ApiPasswordFile)),
                new("user", _settings.User ?? ""),
                new("pass", Secret(_settings.PasswordFile)),
            ]);
            using var response = await _client.PostAsync(_api, content, cancellation);
            var answer = (await response.Content.ReadAsStringAsync(cancellation)).Trim();
            if (!response.IsSuccessStatusCode)
                throw new DeliveryException($"the console answered with status {(int)response.StatusCode}");
            if (!long.TryParse(answer, NumberStyles.None, CultureInfo.InvariantCulture, out _))
                throw new DeliveryException($"the console refused the event: {Words(answer)}", isPermanent: true);
            _settled++;
        }
        catch (HttpRequestException e) when (e.InnerException is SocketException socket)
        {
            throw DeliveryException.From(socket);
        }
        catch (HttpRequestException e) when (e.InnerException is AuthenticationException)
        {
            throw new DeliveryException(_complaint ?? "the TLS handshake failed", isPermanent: true, e);
        }
        catch (HttpRequestException e)
        {
            throw new DeliveryException("the console broke the connection off", inner: e);
        }
        catch (TaskCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new DeliveryException("no answer within 10 seconds", inner: e);
        }
    }

    public override int TakeSettled()
    {
        var settled = _settled;
        _settled = 0;
        return settled;
    }

    public override Task FinishAsync(CancellationToken cancellation) => Task.CompletedTask;

    public override void Reset() => _settled = 0;

    public override void Dispose()
    {
        base.Dispose();
        _client.Dispose();
    }

    /// <summary>The first line of a file; empty when none is named.</summary>
    private static string Secret(string? file)
    {
        if (file is null)
            return "";
        try
        {
            return File.ReadLines(file).FirstOrDefault() ?? "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DeliveryException($"'{file}' cannot be read", inner: e);
        }
    }

    /// <summary>The beginning of an answer, for a message.</summary>
    private static string Words(string answer)
    {
        const int Longest = 60;
        var words = new string([.. answer.Take(Longest).Select(static c => char.IsControl(c) ? ' ' : c)]);
        return words.Length == 0 ? "an empty answer" : words;
    }
}
