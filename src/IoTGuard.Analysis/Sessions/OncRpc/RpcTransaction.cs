using IoTGuard.Wire.Application.OncRpc;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Calls of one procedure of ONC RPC (portmap, mount, NFS and others): the first at once, then those of an interval. Bytes are those of the calls and replies.</summary>
public sealed class RpcTransaction : Transaction
{
    public uint Program { get; set; }

    public uint ProgramVersion { get; set; }

    public uint Procedure { get; set; }

    public int Calls { get; set; }

    public int Failures { get; set; }

    public override string Protocol => "oncrpc";

    public override string EventName => "call";

    public override void Reset()
    {
        Program = ProgramVersion = Procedure = 0;
        Calls = Failures = 0;
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        writer.Number("program", Program);
        writer.Text("program_name", RpcMessage.NameOf(Program));
        writer.Number("version", ProgramVersion);
        writer.Number("procedure", Procedure);
        writer.Number("calls", Calls);
        writer.Number("failures", Failures);
    }
}
