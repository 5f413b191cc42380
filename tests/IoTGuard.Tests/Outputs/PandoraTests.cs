using System.Collections.Specialized;
using System.Net;
using System.Web;
using System.Xml.Linq;
using IoTGuard.Analysis.Alerts;
using IoTGuard.TestSupport;
using IoTGuard.Tests.Syslog;

namespace IoTGuard.Tests.Outputs;

/// <summary>Pandora FMS: files into a data server's directory, and events to a console that is played by the test.</summary>
public sealed class PandoraTests
{
    [Fact]
    public void A_file_for_each_message_appears_whole_and_in_order()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["in"]);
        using (var outputs = new TestOutputs($"pandora://{folder["in"]}"))
        {
            for (var i = 0; i < 200; i++)
                outputs.Send(Samples.Alert(i), AlertPhase.Opened);
            Assert.Empty(outputs.Complete());
            Assert.Equal(200, outputs.Only.Delivered);
        }

        var files = Directory.GetFiles(folder["in"]).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(200, files.Count);
        for (var i = 0; i < files.Count; i++)
        {
            Assert.Matches("^.+\\.\\d+\\.data$", Path.GetFileName(files[i]));
            Assert.Contains($"[a{i:x8}]", XDocument.Load(files[i]).Root!.Elements("module").First().Element("data")!.Value, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_directory_that_is_not_there_is_said()
    {
        using var folder = new TemporaryFolder();
        using var outputs = new TestOutputs($"pandora://{folder["absent"]}");
        outputs.Send(Samples.Alert(1));
        Assert.Equal($"1 of 1 alerts could not be delivered to pandora://{folder["absent"]}: the folder {folder["absent"]} does not exist", Assert.Single(outputs.Complete()));
    }

    [Fact]
    public async Task Events_are_created_once_the_console_takes_them()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["password"], "pass word\n");
        File.WriteAllText(folder["api"], "1234\n");
        var port = SyslogDaemon.FreePort();
        using var console = new HttpListener();
        console.Prefixes.Add($"http://127.0.0.1:{port}/pandora_console/");
        console.Start();
        var forms = new List<NameValueCollection>();
        string?[] answers = [null, "auth error", "17", "18", "19"];
        var serving = Task.Run(async () =>
        {
            foreach (var answer in answers)
            {
                var context = await console.GetContextAsync();
                using var reader = new StreamReader(context.Request.InputStream);
                var form = HttpUtility.ParseQueryString(await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
                Assert.Equal(("POST", "/pandora_console/include/api.php", ""), (context.Request.HttpMethod, context.Request.Url!.AbsolutePath, context.Request.Url.Query));
                context.Response.StatusCode = answer is null ? 500 : 200;
                context.Response.OutputStream.Write(System.Text.Encoding.ASCII.GetBytes(answer ?? "broken"));
                context.Response.Close();
                if (answer is not null && char.IsDigit(answer[0]))
                    forms.Add(form);
            }
        }, TestContext.Current.CancellationToken);
        using var outputs = new TestOutputs($"pandora+http://127.0.0.1:{port}/pandora_console?user=admin&password_file={folder["password"]}&api_password_file={folder["api"]}");
        for (var i = 0; i < 3; i++)
            outputs.Send(Samples.Alert(i, severity: 8), i == 2 ? AlertPhase.Closed : AlertPhase.Opened);
        await serving.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.Empty(outputs.Complete());
        Assert.Equal(3, outputs.Only.Delivered);
        for (var i = 0; i < 3; i++)
        {
            var form = forms[i];
            Assert.Equal(("set", "create_event", "url_encode_separator_|", "1234", "admin", "pass word"),
                (form["op"], form["op2"], form["other_mode"], form["apipass"], form["user"], form["pass"]));
            var values = form["other"]!.Split('|').Select(Uri.UnescapeDataString).ToArray();
            Assert.Equal(($"a{i:x8}", i == 2 ? "1" : "0", "6"), (values[18], values[3], values[6]));
        }
    }
}
