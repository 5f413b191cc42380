using IoTGuard.Wire.Application.Modbus;

namespace IoTGuard.Analysis.Sessions;

/// <summary>What happened on a Modbus connection.</summary>
public enum ModbusEvent : byte
{
    /// <summary>Requests of one function to one unit: the first at once, then those of an interval.</summary>
    Function,

    /// <summary>A device told vendor and model.</summary>
    Identification,
    Fault,
}

/// <summary>One Modbus event. Bytes are those of requests and responses; register values are not kept.</summary>
public sealed class ModbusTransaction : Transaction
{
    private static readonly string[] EventNames = ["function", "identification", "fault"];

    public ModbusEvent Event { get; set; }

    public int Unit { get; set; }

    /// <summary>Function code.</summary>
    public byte Function { get; set; }

    public int Requests { get; set; }

    public int Exceptions { get; set; }

    /// <summary>Code of the last exception; 0 = none.</summary>
    public int ExceptionCode { get; set; }

    /// <summary>Registers or coils asked for.</summary>
    public long Items { get; set; }

    public string? Vendor { get; set; }

    public string? Model { get; set; }

    public string? Revision { get; set; }

    public string? FaultText { get; set; }

    public bool IsWrite => Event == ModbusEvent.Function && ModbusHeader.IsWrite(Function);

    public override string Protocol => "modbus";

    public override string EventName => EventNames[(int)Event];

    public override void Reset()
    {
        Event = ModbusEvent.Function;
        Unit = Requests = Exceptions = ExceptionCode = 0;
        Function = 0;
        Items = 0;
        Vendor = Model = Revision = FaultText = null;
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        if (Event == ModbusEvent.Fault)
        {
            writer.Text("fault", FaultText);
            return;
        }

        writer.Number("unit", Unit);
        if (Event == ModbusEvent.Function)
        {
            writer.Number("function", Function);
            writer.Text("function_name", ModbusHeader.NameOf(Function));
            writer.Flag("write", IsWrite);
            writer.Number("requests", Requests);
            writer.Number("exceptions", Exceptions);
            if (ExceptionCode > 0)
                writer.Number("exception_code", ExceptionCode);
            writer.Number("items", Items);
        }
        else
        {
            writer.Text("vendor", Vendor);
            writer.Text("model", Model);
            writer.Text("revision", Revision);
        }
    }
}
