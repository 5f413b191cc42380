using System.Buffers.Binary;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Modbus;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Modbus over TCP. Requests are counted per unit and function, see <see cref="CallTable"/>; what writes is in its function's name.</summary>
public sealed class ModbusSession : StreamSession
{
    private readonly CallTable _calls = new();
    private readonly bool[] _isLost = new bool[2];
    private FlowDirection _client;

    public override ApplicationProtocol Protocol => ApplicationProtocol.Modbus;

    /// <summary>The header says little: believed on port 502 only.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (data.Length >= 4 && (data[2] | data[3]) != 0)
            return ProbeResult.NotForUs;
        if (data.Length < ModbusHeader.Size)
            return ProbeResult.Unsure;
        var header = ModbusHeader.Read(data);
        return header.IsValid && ModbusHeader.NameOf((byte)(header.Function & 0x7F)) is not null && data.Length <= 4 * (ModbusHeader.Uncounted + header.Length)
            ? ProbeResult.Likely
            : ProbeResult.NotForUs;
    }

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (_isLost[(int)direction])
        {
            // After a gap the next segment that begins with a message is where it goes on.
            if (Probe(direction, data) != ProbeResult.Likely)
                return new StreamProgress(data.Length);
            _isLost[(int)direction] = false;
        }

        var at = 0;
        while (at < data.Length)
        {
            var rest = data[at..];
            if (rest.Length < ModbusHeader.Size)
                return new StreamProgress(at, ModbusHeader.Size);
            var header = ModbusHeader.Read(rest);
            if (!header.IsValid)
            {
                Fail(context, direction);
                return new StreamProgress(data.Length, 0, Everything);
            }

            var total = ModbusHeader.Uncounted + header.Length;
            if (rest.Length < total)
                return new StreamProgress(at, total);
            OnUnit(context, direction, header, rest[ModbusHeader.Size..total], total);
            at += total;
        }

        return new StreamProgress(at);
    }

    public override void OnGap(SessionContext context, FlowDirection direction, long bytes) => _isLost[(int)direction] = true;

    public override void OnEnd(SessionContext context)
    {
        foreach (ref var count in _calls.Counts)
            Tell(context, ref count);
    }

    public override void Reset()
    {
        _calls.Clear();
        Array.Clear(_isLost);
        _client = FlowDirection.FromOriginator;
    }

    private void OnUnit(SessionContext context, FlowDirection direction, in ModbusHeader header, ReadOnlySpan<byte> data, int bytes)
    {
        // The originator asks, unless the connection was picked up in its middle; then the well-known port tells.
        _client = context.Flow.OriginatorPort == 502 && context.Flow.ResponderPort != 502 ? FlowDirection.FromResponder : FlowDirection.FromOriginator;
        var function = (byte)(header.Function & 0x7F);
        ref var count = ref _calls.Of(((ulong)header.Unit << 8) | function, context.TimeNs);
        ref var counters = ref context.Flow.Counters;
        count.Bytes += bytes;
        if (direction == _client)
        {
            if (count.IsDue(context.TimeNs) && count.WasTold)
            {
                Tell(context, ref count);
                count.SinceNs = count.LastNs = context.TimeNs;
            }

            counters.Requests++;
            count.Calls++;
            count.Items += function is 1 or 2 or 3 or 4 or 15 or 16 or 23 && data.Length >= 4 ? BinaryPrimitives.ReadUInt16BigEndian(data[2..]) : function is 5 or 6 or 22 ? 1 : 0;
            return;
        }

        counters.Responses++;
        if (header.IsException)
        {
            counters.Failures++;
            count.Failures++;
            count.Code = data.IsEmpty ? 0 : data[0];
        }
        else if (function == 43 && data.Length > 6 && data[0] == 0x0E)
        {
            Identify(context, header.Unit, data);
        }

        if (!count.WasTold)
            Tell(context, ref count);
    }

    /// <summary>Read device identification (1.1b3, 6.21): objects 0 vendor, 1 product code, 2 revision, 4 product name, 5 model.</summary>
    private void Identify(SessionContext context, int unit, ReadOnlySpan<byte> data)
    {
        var transaction = context.Begin<ModbusTransaction>(_client);
        transaction.Event = ModbusEvent.Identification;
        transaction.Unit = unit;
        transaction.Bytes = data.Length + ModbusHeader.Size;
        var rest = data[6..];
        for (var left = data[5]; left > 0 && rest.Length >= 2 && rest.Length >= 2 + rest[1]; left--)
        {
            var text = context.Texts.Of(rest.Slice(2, rest[1]));
            switch (rest[0])
            {
                case 0:
                    transaction.Vendor = text;
                    break;
                case 1:
                    transaction.Model ??= text;
                    break;
                case 2:
                    transaction.Revision = text;
                    break;
                case 4 or 5:
                    transaction.Model = text ?? transaction.Model;
                    break;
            }

            rest = rest[(2 + rest[1])..];
        }

        transaction.Claim(transaction.Server, ClaimKind.Vendor, transaction.Vendor);
        transaction.Claim(transaction.Server, ClaimKind.Model, transaction.Model);
        transaction.Claim(transaction.Server, ClaimKind.Software, transaction.Revision);
        context.Emit(transaction);
    }

    private void Tell(SessionContext context, ref CallCount count)
    {
        if (count.Calls == 0)
            return;
        var transaction = context.Begin<ModbusTransaction>(_client);
        transaction.TimeNs = count.SinceNs;
        transaction.DurationNs = count.LastNs - count.SinceNs;
        transaction.Bytes = count.Bytes;
        transaction.Unit = (int)(count.Key >> 8);
        transaction.Function = (byte)count.Key;
        transaction.Requests = count.Calls;
        transaction.Exceptions = count.Failures;
        transaction.ExceptionCode = count.Failures > 0 ? count.Code : 0;
        transaction.Items = count.Items;
        context.Emit(transaction);
        count.Told();
    }

    private void Fail(SessionContext context, FlowDirection direction)
    {
        _isLost[(int)direction] = true;
        context.Flow.Counters.Faults++;
        var transaction = context.Begin<ModbusTransaction>(direction);
        transaction.Event = ModbusEvent.Fault;
        transaction.FaultText = "not_modbus";
        context.Emit(transaction);
    }
}
