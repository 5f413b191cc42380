using System.Buffers.Binary;

namespace IoTGuard.Wire.Application.Modbus;

/// <summary>MBAP header and function code (MODBUS Messaging on TCP/IP 1.0b, 3.1.3).</summary>
/// <param name="TransactionId">Pairs request and response.</param>
/// <param name="ProtocolId">0.</param>
/// <param name="Length">Bytes after the length field: unit, function and data.</param>
/// <param name="Unit">The device behind a gateway.</param>
/// <param name="Function">Function code; the topmost bit says exception.</param>
public readonly record struct ModbusHeader(ushort TransactionId, ushort ProtocolId, ushort Length, byte Unit, byte Function)
{
    /// <summary>Bytes of header and function code.</summary>
    public const int Size = 8;

    /// <summary>Bytes before those that <see cref="Length"/> counts.</summary>
    public const int Uncounted = 6;

    /// <summary>Largest length: a PDU has up to 253 bytes (MODBUS Application Protocol 1.1b3, 4.1).</summary>
    public const int MaximumLength = 254;

    public bool IsException => Function >= 0x80;

    public bool IsValid => ProtocolId == 0 && Length is >= 2 and <= MaximumLength && (Function & 0x7F) != 0;

    /// <summary>True for functions that change something (5, 6, 15, 16, 21, 22, 23).</summary>
    public static bool IsWrite(byte function) => function is 5 or 6 or 15 or 16 or 21 or 22 or 23;

    /// <summary>Reads a header; <paramref name="bytes"/> holds at least <see cref="Size"/>.</summary>
    public static ModbusHeader Read(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt16BigEndian(bytes), BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]), BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]), bytes[6], bytes[7]);

    /// <summary>Name of a function (1.1b3, 5.1); null for one that has none here.</summary>
    public static string? NameOf(byte function) => function switch
    {
        1 => "read_coils",
        2 => "read_discrete_inputs",
        3 => "read_holding_registers",
        4 => "read_input_registers",
        5 => "write_single_coil",
        6 => "write_single_register",
        7 => "read_exception_status",
        8 => "diagnostics",
        11 => "get_event_counter",
        12 => "get_event_log",
        15 => "write_multiple_coils",
        16 => "write_multiple_registers",
        17 => "report_server_id",
        20 => "read_file_record",
        21 => "write_file_record",
        22 => "mask_write_register",
        23 => "read_write_multiple_registers",
        24 => "read_fifo_queue",
        43 => "encapsulated_interface",
        _ => null,
    };
}
