using IoTGuard.Wire.Application.Dicom;

namespace IoTGuard.Analysis.Sessions;

/// <summary>A DICOM file (PS3.10) on a connection of its own, as FTP's data connections and many scripts send them. Bytes are those of the file.</summary>
public sealed class DicomFileTransaction : Transaction
{
    public string? SopClass { get; set; }

    public string? TransferSyntax { get; set; }

    public string? SourceAe { get; set; }

    public string? ImplementationVersion { get; set; }

    /// <summary>The SOP Instance UID as a pseudonym.</summary>
    public Pseudonym Instance { get; set; }

    public PreambleKind Preamble { get; set; }

    /// <summary>True when the side that was connected to sends.</summary>
    public bool SentByServer { get; set; }

    public override string Protocol => "dicom-file";

    public override string EventName => "file";

    public override void Reset()
    {
        SopClass = TransferSyntax = SourceAe = ImplementationVersion = null;
        Instance = default;
        Preamble = PreambleKind.Zero;
        SentByServer = false;
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        writer.Text("sent_by", SentByServer ? "server" : "client");
        writer.Text("sop_class", SopClass);
        writer.Text("sop_class_name", DicomUid.NameOf(SopClass));
        writer.Text("transfer_syntax", TransferSyntax);
        writer.Text("source_ae", SourceAe);
        writer.Text("implementation_version", ImplementationVersion);
        if (!Instance.IsNone)
            writer.Pseudonym("instance", Instance);
        writer.Text("preamble", HttpTransaction.NameOf(Preamble));
    }
}
