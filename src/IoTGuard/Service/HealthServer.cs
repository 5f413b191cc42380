using System.Net;
using System.Text;

namespace IoTGuard.Service;

/// <summary>Answers <c>GET /metrics</c> and <c>GET /health</c> over HTTP, one request at a time, on the address that the settings name.</summary>
internal sealed class HealthServer : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Func<SensorStatus> _status;
    private readonly Thread _thread;

    private HealthServer(string address, Func<SensorStatus> status)
    {
        _status = status;
        _listener.Prefixes.Add($"http://{address}/");
        _listener.Start();
        _thread = new Thread(Work) { Name = "health", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Listens; null, with a line in the log, when the address is taken: the sensor works without.</summary>
    public static HealthServer? Start(string address, Func<SensorStatus> status)
    {
        try
        {
            return new HealthServer(address, status);
        }
        catch (Exception e) when (e is HttpListenerException or System.Net.Sockets.SocketException)
        {
            ServiceLog.Write($"no health endpoint on {address}: {e.Message.TrimEnd('.')}; give another address with health_listen, or health_listen: off");
            return null;
        }
    }

    public void Dispose()
    {
        _listener.Close();
        _thread.Join();
    }

    private void Work()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = _listener.GetContext();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }

            try
            {
                Answer(context);
            }
            catch (Exception e) when (e is HttpListenerException or IOException or ObjectDisposedException or InvalidOperationException)
            {
                // Who asked has gone.
            }
        }
    }

    private void Answer(HttpListenerContext context)
    {
        var response = context.Response;
        var status = _status();
        var (type, body, code) = context.Request switch
        {
            { HttpMethod: not ("GET" or "HEAD") } => ("text/plain", "only GET\n"u8.ToArray(), 405),
            { Url.AbsolutePath: "/metrics" } => ("text/plain; version=0.0.4; charset=utf-8", Encoding.UTF8.GetBytes(HealthText.Prometheus(status)), 200),
            { Url.AbsolutePath: "/health" } => ("application/json", HealthText.Json(status), status.Conditions.Count == 0 ? 200 : 503),
            _ => ("text/plain", "/metrics and /health\n"u8.ToArray(), 404),
        };
        response.StatusCode = code;
        response.ContentType = type;
        response.ContentLength64 = body.Length;
        response.KeepAlive = false;
        if (context.Request.HttpMethod != "HEAD")
            response.OutputStream.Write(body);
        response.Close();
    }
}
