using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Outputs;
using IoTGuard.Outputs.Delivery;
using IoTGuard.Sites.State;
using IoTGuard.TestSupport;
using IoTGuard.Tests.Syslog;

namespace IoTGuard.Tests.Outputs;

/// <summary>The journal in front of receivers that fail in every way there is: counts before and after.</summary>
public sealed class OutageTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static IEnumerable<string> Numbers(int count) => Enumerable.Range(0, count).Select(i => $"a{i:x8}");

    /// <summary>Everything came, and what came for the first time came in order.</summary>
    private static void AssertAll(int count, IEnumerable<string> ids) => Assert.Equal(Numbers(count), ids.Distinct(StringComparer.Ordinal));

    [Fact]
    public async Task What_waited_when_the_sensor_died_is_sent_by_the_next_one_in_order()
    {
        using var folder = new TemporaryFolder();
        var port = SyslogDaemon.FreePort();
        using (var first = new Journal(folder["site"], $"tcp://127.0.0.1:{port}"))
        {
            first.Send(0, 700);
            first.State.Flush();
        }

        using var receiver = new Receiver(port);
        using var second = new Journal(folder["site"], $"tcp://127.0.0.1:{port}");
        Assert.StartsWith("700 messages from before wait for the output tcp://127.0.0.1:", second.State.Notices[0], StringComparison.Ordinal);
        second.Send(700, 50);
        using var socket = await receiver.Accept();
        var reading = receiver.ReadToEnd(socket);
        await second.Delivered(750);
        Assert.Empty(second.End());
        await reading;
        AssertAll(750, receiver.Ids);

        using var state = SiteState.OpenToRead(folder["site"]);
        Assert.Empty(state!.Outgoing());
        Assert.Equal(750, state.Alerts().Count);
    }

    [Fact]
    public async Task A_receiver_that_never_reads_and_is_then_reset_loses_nothing()
    {
        using var folder = new TemporaryFolder();
        using var receiver = new Receiver();
        using var journal = new Journal(folder["site"], $"tcp://127.0.0.1:{receiver.Port}");
        // Its system takes and acknowledges what no program reads, until it has no room.
        journal.Send(0, 300, new string('x', 2000));
        var stalled = await receiver.Accept();
        await journal.Delivered(20);
        await Task.Delay(1000, Cancellation);
        Assert.InRange(journal.Output.Delivered, 20, 299);
        stalled.LingerState = new LingerOption(true, 0);
        stalled.Close();
        journal.Send(300, 10);
        using var socket = await receiver.Accept();
        var reading = receiver.ReadToEnd(socket);
        await journal.Delivered(310);
        Assert.Empty(journal.End());
        await reading;
        AssertAll(310, receiver.Ids);
    }

    [Fact]
    public async Task A_receiver_that_resets_after_every_few_messages_gets_all_in_the_end()
    {
        using var folder = new TemporaryFolder();
        using var receiver = new Receiver();
        using var journal = new Journal(folder["site"], $"tcp://127.0.0.1:{receiver.Port}");
        journal.Send(0, 200);
        for (var connection = 0; connection < 4; connection++)
        {
            var socket = await receiver.Accept();
            await receiver.Read(new NetworkStream(socket), most: 20 + (40 * connection));
            socket.LingerState = new LingerOption(true, 0);
            socket.Close();
        }

        using var last = await receiver.Accept();
        var reading = receiver.ReadToEnd(last);
        await journal.Delivered(200);
        Assert.Empty(journal.End());
        await reading;
        AssertAll(200, receiver.Ids);
        Assert.True(journal.Output.Retries >= 4);
    }

    [Fact]
    public async Task A_receiver_that_half_closes_at_once_is_still_served()
    {
        using var folder = new TemporaryFolder();
        using var receiver = new Receiver();
        using var journal = new Journal(folder["site"], $"tcp://127.0.0.1:{receiver.Port}");
        journal.Send(0, 5);
        using var half = await receiver.Accept();
        var stream = new NetworkStream(half);
        half.Shutdown(SocketShutdown.Send);
        var first = receiver.Read(stream);
        await Task.Delay(1000, Cancellation);
        journal.Send(5, 5);
        using var whole = await receiver.Accept();
        var reading = receiver.ReadToEnd(whole);
        await journal.Delivered(10);
        Assert.Empty(journal.End());
        await Task.WhenAll(first, reading);
        AssertAll(10, receiver.Ids.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task While_a_certificate_has_expired_messages_wait_and_go_out_with_the_new_one()
    {
        using var folder = new TemporaryFolder();
        using var certificates = new Certificates();
        File.WriteAllText(folder["ca.pem"], certificates.AuthorityPem);
        using var receiver = new Receiver();
        using var journal = new Journal(folder["site"], $"tls://localhost:{receiver.Port}?ca={folder["ca.pem"]}");
        journal.Send(0, 40);
        await Serve(certificates.Issue("localhost", expired: true).Pair);
        while (journal.Output.Failure is null)
            await Task.Delay(10, Cancellation);
        Assert.Equal("the receiver's certificate has expired or is not yet valid", journal.Output.Failure);
        Assert.Equal((0, 40), (journal.Output.Delivered, journal.Output.Waiting));
        var serving = Serve(certificates.Issue("localhost").Pair);
        await journal.Delivered(40);
        Assert.Null(journal.Output.Failure);
        Assert.Empty(journal.End());
        await serving;
        AssertAll(40, receiver.Ids);

        async Task Serve(System.Security.Cryptography.X509Certificates.X509Certificate2 certificate)
        {
            using var socket = await receiver.Accept();
            await using var secure = new SslStream(new NetworkStream(socket));
            try
            {
                await secure.AuthenticateAsServerAsync(certificate);
                await receiver.Read(secure);
            }
            catch (Exception e) when (e is AuthenticationException or IOException)
            {
                // The sensor refuses the certificate.
            }
        }
    }

    [Fact]
    public async Task A_full_journal_gives_up_updates_first_then_the_oldest_and_counts_them()
    {
        using var folder = new TemporaryFolder();
        var port = SyslogDaemon.FreePort();
        long sent;
        using (var absent = new Journal(folder["site"], $"tcp://127.0.0.1:{port}?journal=1"))
        {
            // The window in memory takes 16 MB; what is beyond it lies in the journal only.
            var text = new string('x', 6000);
            absent.Send(0, 50, text, AlertPhase.Opened);
            absent.Send(0, 3000, text, AlertPhase.Updated);
            absent.State.Flush();
            absent.Send(0, 3000, text, AlertPhase.Closed);
            absent.State.Flush();
            sent = absent.Output.Offered;
            Assert.Equal(6050, sent);
            using var state = SiteState.OpenToRead(folder["site"])!;
            // The budget is tended once a second, also while messages are still being written.
            for (var tries = 0; tries < 60 && state.Outgoing().Single().Messages != sent - absent.Output.Dropped; tries++)
                await Task.Delay(500, Cancellation);
            Assert.InRange(absent.Output.Dropped, 2000, 4000);
            Assert.Equal(sent - absent.Output.Dropped, state.Outgoing().Single().Messages);
            Assert.Equal(3000, state.Alerts().Count);
            Assert.EndsWith($"alerts could not be delivered to tcp://127.0.0.1:{port}: connection refused", absent.Output.Problem, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task While_the_disk_is_full_alerts_go_out_from_memory_and_are_stored_when_there_is_room_again()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "a small file system needs Linux and root");
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["site"]);
        Assert.SkipUnless(ProgramRun.Shell($"mount -t tmpfs -o size=2m tmpfs {folder["site"]}").Status == 0, "no file system can be mounted here");
        try
        {
            using var receiver = new Receiver();
            using var journal = new Journal(folder["site"], $"tcp://127.0.0.1:{receiver.Port}");
            journal.Send(0, 20);
            using var socket = await receiver.Accept();
            var reading = receiver.ReadToEnd(socket);
            await journal.Delivered(20);
            ProgramRun.Shell($"dd if=/dev/zero of={folder["site/ballast"]} bs=4k 2>/dev/null");
            journal.Send(20, 300, new string('x', 3000));
            await journal.Delivered(320);
            Assert.NotNull(journal.State.Failure);
            File.Delete(folder["site/ballast"]);
            journal.Send(320, 5);
            await journal.Delivered(325);
            var clock = Stopwatch.StartNew();
            while (journal.State.Failure is not null && clock.Elapsed < TimeSpan.FromSeconds(30))
                await Task.Delay(50, Cancellation);
            Assert.Empty(journal.End());
            await reading;
            AssertAll(325, receiver.Ids);
            Assert.Equal(0, journal.State.Lost);
            using var state = SiteState.OpenToRead(folder["site"]);
            Assert.Equal(325, state!.Alerts().Count);
        }
        finally
        {
            ProgramRun.Shell($"umount {folder["site"]}");
        }
    }

    [Fact]
    public async Task A_file_on_a_full_disk_is_tried_again_and_holds_whole_lines()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "a small file system needs Linux and root");
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["disk"]);
        Assert.SkipUnless(ProgramRun.Shell($"mount -t tmpfs -o size=1m tmpfs {folder["disk"]}").Status == 0, "no file system can be mounted here");
        try
        {
            var notices = new List<string>();
            using (var file = OutputFile.Append(folder["disk/alerts.jsonl"], notices.Add))
            {
                Write(file, 100);
                Assert.Equal((100, 0, 0), (file.Lines, file.WaitingLines, file.LostLines));
                ProgramRun.Shell($"dd if=/dev/zero of={folder["disk/ballast"]} bs=4k 2>/dev/null");
                Write(file, 1000);
                Assert.Equal((100, 1000, 0), (file.Lines, file.WaitingLines, file.LostLines));
                Write(file, 2000);
                Assert.InRange(file.LostLines, 2000, 3000);
                Assert.Equal(3000, file.LostLines + file.WaitingLines);
                var (waiting, written) = (file.WaitingLines, file.Lines);
                using (var reopened = OutputFile.Append(folder["disk/alerts.jsonl"], notices.Add))
                {
                    reopened.TakeOver(file);
                    Assert.Equal((0, waiting, 0), (file.WaitingLines, reopened.WaitingLines, reopened.LostLines));
                    file.TakeOver(reopened);
                }

                Assert.Equal((waiting, written), (file.WaitingLines, file.Lines));
                Assert.Matches("takes no lines: No space left on device", Assert.Single(notices));
                File.Delete(folder["disk/ballast"]);
                var clock = Stopwatch.StartNew();
                while (file.Failure is not null)
                {
                    Assert.True(clock.Elapsed < TimeSpan.FromSeconds(40), file.Failure);
                    await Task.Delay(50, Cancellation);
                    Write(file, 1);
                }

                Assert.Equal(2, notices.Count);
                Assert.EndsWith($"takes lines again; {file.LostLines:N0} were lost meanwhile", notices[1], StringComparison.Ordinal);
                Assert.True(file.Retries >= 1);
                var lines = File.ReadAllLines(folder["disk/alerts.jsonl"]);
                Assert.Equal(file.Lines, lines.Length);
                Assert.All(lines, static l => Assert.Equal(200, l.Length));
            }
        }
        finally
        {
            ProgramRun.Shell($"umount {folder["disk"]}");
        }

        static void Write(OutputFile file, int lines)
        {
            for (var i = 0; i < lines; i++)
            {
                file.Buffer.GetSpan(200)[..200].Fill((byte)'x');
                file.Buffer.Advance(200);
                file.EndLine();
            }

            file.Flush();
        }
    }

    [Fact]
    public async Task Outputs_are_exchanged_while_they_run_and_what_waits_goes_to_the_new_one()
    {
        using var folder = new TemporaryFolder();
        var absent = SyslogDaemon.FreePort();
        using var journal = new Journal(folder["site"], $"tcp://127.0.0.1:{absent}?name=siem");
        journal.Send(0, 30);
        journal.State.Flush();
        using var receiver = new Receiver();
        journal.State.Outputs.Replace(AlertOutputs.Parse([$"tcp://127.0.0.1:{receiver.Port}?name=siem"]));
        journal.Send(30, 10);
        using var socket = await receiver.Accept();
        var reading = receiver.ReadToEnd(socket);
        await journal.Delivered(40);
        Assert.Empty(journal.End());
        await reading;
        AssertAll(40, receiver.Ids);
    }

    [Fact]
    public async Task Filters_choose_by_severity_category_and_zone()
    {
        using var folder = new TemporaryFolder();
        string[] uris =
        [
            $"file://{folder["all"]}?format=json", $"file://{folder["severe"]}?format=json&severity=8", $"file://{folder["access"]}?format=json&category=access,other",
            $"file://{folder["radiology"]}?format=json&zone=radiology",
        ];
        using (var outputs = AlertOutputs.ForCaptures(AlertOutputs.Checked(AlertOutputs.Parse(uris))))
        {
            for (var i = 0; i < 11; i++)
            {
                var alert = Samples.Alert(i, severity: i);
                if (i % 2 == 0)
                    alert.Device = alert.Device with { Zone = "radiology" };
                AlertOutputs.Offer(outputs.Write(alert, AlertPhase.Closed));
            }

            Assert.Empty(outputs.Complete());
        }

        Assert.Equal((11, 3, 6), (File.ReadLines(folder["all"]).Count(), File.ReadLines(folder["severe"]).Count(), File.ReadLines(folder["radiology"]).Count()));
        Assert.False(File.Exists(folder["access"]));
        Assert.Equal("640", ProgramRun.Start("stat", ["-c", "%a", folder["all"]], null, Repository.Root).Output.Trim());
        await Task.CompletedTask;
    }

    [Fact]
    public async Task Heartbeats_come_at_their_interval_and_not_while_alerts_wait()
    {
        using var folder = new TemporaryFolder();
        using var outputs = AlertOutputs.ForCaptures(AlertOutputs.Parse([$"file://{folder["beats"]}?format=json&heartbeat=1"]));
        outputs.BeginHeartbeats(() => new IoTGuard.Outputs.Formats.Heartbeat(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow, 1, 2, 3, 0, 0));
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < TimeSpan.FromSeconds(20) && (!File.Exists(folder["beats"]) || File.ReadLines(folder["beats"]).Count() < 3))
            await Task.Delay(100, Cancellation);
        Assert.Empty(outputs.Complete());
        Assert.True(File.ReadLines(folder["beats"]).Count() >= 3);
        Assert.All(File.ReadLines(folder["beats"]), l => Assert.StartsWith("{\"phase\":\"heartbeat\"", l, StringComparison.Ordinal));
        Assert.Equal(0, outputs.All[0].Offered);
    }
}
