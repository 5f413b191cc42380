using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Inventory;
using Spectre.Console;

namespace IoTGuard.Outputs;

/// <summary>What a learning run taught, for people.</summary>
internal static class LearnSummary
{
    public static void Print(IAnsiConsole console, Site site, string folder, string models)
    {
        console.WriteLine();
        console.MarkupLineInterpolated($"[bold]Learned[/] in {folder}");
        var table = Terminal.Table("What", "Number");
        table.Columns[1].RightAligned();
        foreach (var group in site.Devices.GroupBy(d => d.Role.Role).OrderBy(g => g.Key))
            table.AddRow(new Text($"devices: {RoleJudgement.NameOf(group.Key)}"), new Text(RunSummary.Number(group.Count())));
        foreach (var group in site.Facts.GroupBy(f => f.Key.Kind).OrderBy(g => g.Key))
            table.AddRow(new Text(Words(group.Key)), new Text(RunSummary.Number(group.Count())));
        if (table.Rows.Count > 0)
            console.Write(table);
        else
            console.WriteLine("nothing about devices");
        console.WriteLine();
        console.WriteLine($"Learning so far: {site.Periods.Count} period{(site.Periods.Count == 1 ? "" : "s")}, {site.HoursLearned:F2} hours of packet time");
        console.WriteLine($"Models: {models}");
    }

    /// <summary>What a kind of fact says, for people.</summary>
    public static string Words(FactKind kind) => kind switch
    {
        FactKind.Peer => "device uses a service of another",
        FactKind.Service => "device offers a service",
        FactKind.OutsideService => "device uses a service outside",
        FactKind.OutsideNetwork => "device speaks with a network outside",
        FactKind.AePair => "calling and called AE titles",
        FactKind.SopClass => "device stores a SOP class",
        FactKind.DicomOperation => "device does a DICOM operation",
        FactKind.MoveDestination => "C-MOVE destinations",
        FactKind.BroadQuery => "device asks broad queries",
        FactKind.Hl7Sender => "HL7 senders",
        FactKind.Hl7Type => "HL7 message types on a link",
        FactKind.MedicalService => "DICOM and HL7 services",
        FactKind.ProtocolFault => "kinds of malformed messages on a link",
        FactKind.TlsCertificate => "certificates that services show",
        FactKind.TlsStrong => "links with strong TLS",
        FactKind.TlsCarried => "links that carry DICOM or HL7 in TLS",
        FactKind.Stream => "device sends datagrams at a high rate",
        FactKind.Scanner => "device explores the network",
        FactKind.Finding => "findings that stood while learning",
        _ => kind.ToString(),
    };
}
