using System.Text.RegularExpressions;
using IoTGuard.Analysis.Features;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Rules;
using IoTGuard.Wire.Network;
using static IoTGuard.Analysis.Tests.Rules.Scene;

namespace IoTGuard.Analysis.Tests.Features;

/// <summary>What devices do in windows of packet time.</summary>
public sealed class WindowBookTests
{
    private readonly List<(string Device, long StartNs, bool IsComplete, float[] Row)> _rows = [];
    private readonly Scene _scene = new();

    public WindowBookTests() => _scene.Detector.TellWindows(DeviceWindow.DefaultSeconds, w =>
    {
        var row = new float[WindowFeatures.Schema.Count];
        WindowFeatures.Schema.Extract(in w, row);
        _rows.Add((w.Address.ToString(), w.StartNs, w.IsComplete, row));
    });

    [Fact]
    public void Names_are_unique_and_nothing_leaks()
    {
        var names = WindowFeatures.Schema.Columns.Select(c => c.Name).ToList();
        Assert.Equal(names.Count, names.Distinct(StringComparer.Ordinal).Count());
        Assert.All(names, n => Assert.Matches("^[a-z0-9]+(_[a-z0-9]+)*$", n));
        Assert.DoesNotContain(names, n => Regex.IsMatch(n, "address|ttl|mac$|vlan|hour", RegexOptions.None, TimeSpan.FromSeconds(1)));
        Assert.NotEqual(FlowFeatures.Schema.Hash, WindowFeatures.Schema.Hash);
    }

    [Fact]
    public void Each_device_has_a_row_per_window_in_order()
    {
        Known();
        Wait(60);
        _scene.Exchange(Modality, Pacs, 104);
        Wait(60);
        _scene.Exchange(Workstation, Pacs, 104);
        _scene.Finish();
        var first = _rows.Where(r => r.IsComplete).ToList();
        Assert.Equal([Pacs, Modality], first.Select(r => r.Device));
        Assert.Equal(1, Of(first[1].Row, "flows_out"));
        Assert.Equal(1, Of(first[0].Row, "flows_in"));
        Assert.Equal(1, Of(first[0].Row, "peers"));
        Assert.Equal(1, Of(first[0].Row, "new_peers"));
        Assert.False(_rows[^1].IsComplete);
        Assert.All(_rows, r => Assert.Equal(0, r.StartNs % 60_000_000_000));
        Assert.All(_rows, r => Assert.All(r.Row, v => Assert.True(float.IsFinite(v))));
    }

    [Fact]
    public void A_flow_that_goes_on_counts_once()
    {
        Known();
        Wait(60);
        var flow = _scene.Flow(Modality, Pacs, 104);
        _scene.Send(SensorEventKind.FlowOpened, flow);
        flow.FromOriginator.Bytes = 1000;
        flow.FromResponder = new DirectionCounters { Packets = 5, Bytes = 400 };
        _scene.Send(SensorEventKind.FlowUpdated, flow);
        Wait(60);
        flow.FromOriginator.Bytes = 1700;
        _scene.Send(SensorEventKind.FlowClosed, flow);
        Wait(60);
        _scene.Finish();
        Assert.Equal([1000f, 700f], _rows.Where(r => r.Device == Modality && r.IsComplete).Select(r => Of(r.Row, "bytes_out")));
        Assert.Equal([400f, 0f], _rows.Where(r => r.Device == Pacs && r.IsComplete).Select(r => Of(r.Row, "bytes_out")));
    }

    [Fact]
    public void What_fails_and_what_protocols_say_is_counted_on_both_sides()
    {
        Known();
        Wait(60);
        _scene.Try(Modality, Pacs, 22);
        _scene.Dicom(Modality, Pacs, DicomEvent.AssociateReject);
        _scene.Dicom(Modality, Pacs, DicomEvent.CStore, t => t.DataSetBytes = 512);
        _scene.Hl7(Sender, Engine, fill: t => t.AckCode = "AE");
        _scene.Smb(Workstation, Pacs, SmbEvent.Files, t => t.Files = new SmbFileCounts { Writes = 3, Deletes = 2, WrittenBytes = 99 });
        Wait(61);
        _scene.Finish();
        Assert.Equal(1, Row(Modality, "refused"));
        Assert.Equal(1, Row(Pacs, "refusals"));
        Assert.Equal(1, Row(Modality, "dicom_rejections"));
        Assert.Equal(512, Row(Modality, "dicom_bytes_out"));
        Assert.Equal(1, Row(Pacs, "dicom_stores_in"));
        Assert.Equal(1, Row(Sender, "hl7_refusals"));
        Assert.Equal(1, Row(Engine, "hl7_messages_in"));
        Assert.Equal(3, Row(Workstation, "file_writes"));
        Assert.Equal(2, Row(Workstation, "file_deletes"));
    }

    [Fact]
    public void The_first_steps_of_a_stranger_count()
    {
        Known();
        Wait(60);
        for (var i = 0; i < 20; i++)
            _scene.Try(Stranger, Pacs, (ushort)(1000 + i), refused: false);
        Wait(61);
        _scene.Finish();
        Assert.Equal(20, Row(Stranger, "flows_out"));
        Assert.Equal(20, Row(Stranger, "ports_out"));
    }

    [Fact]
    public void A_scan_is_a_wide_fan_out_of_the_scanner_alone()
    {
        Known();
        Wait(60);
        for (var i = 0; i < 300; i++)
            _scene.Try(Workstation, $"10.9.{i / 200}.{(i % 200) + 1}", 445, refused: false);
        Wait(61);
        _scene.Finish();
        Assert.InRange(Row(Workstation, "services"), 250, 350);
        Assert.InRange(Row(Workstation, "fan_out"), 250, 350);
        Assert.Equal(1, Row(Workstation, "ports_out"));
        Assert.DoesNotContain(_rows, r => r.Device.StartsWith("10.9.", StringComparison.Ordinal));
    }

    private void Known()
    {
        foreach (var host in new[] { Pacs, Modality, Workstation, Engine, Sender })
            _scene.Arp(host, host, "10.0.0.1");
        _scene.Exchange(Workstation, Engine, 80);
    }

    /// <summary>To the beginning of the next window, then two seconds into it.</summary>
    private void Wait(double seconds)
    {
        _scene.Wait(seconds - (_scene.Now / 1e9 % 60));
        _scene.Wait(2);
    }

    private float Row(string device, string feature) => Of(_rows.Last(r => r.Device == device && r.IsComplete).Row, feature);

    private static float Of(float[] row, string name) => row[WindowFeatures.Schema.Columns.ToList().FindIndex(c => c.Name == name)];
}
