using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Mqtt;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// MQTT 3.1, 3.1.1 and 5 over TCP. Payloads are passed over. What is published is told once per <see cref="PublishIntervalNs"/> and direction, from the next
/// packet on. Bytes that are no control packet, and gaps, end the reading of their direction.
/// </summary>
public sealed class MqttSession : StreamSession
{
    /// <summary>Longest head of a control packet that is read, bytes.</summary>
    public const int MaximumHeadBytes = 1024;

    /// <summary>Packet time after which what was published is told, ns.</summary>
    public const long PublishIntervalNs = 10_000_000_000;

    /// <summary>Topic filters of one SUBSCRIBE that are looked at.</summary>
    public const int MaximumTopics = 64;

    private readonly Published[] _published = new Published[2];
    private readonly bool[] _isLost = new bool[2];
    private Pending _connect;
    private Pending _subscribe;
    private int _level;
    private FlowDirection _client;

    private struct Published
    {
        public long SinceNs;
        public long LastNs;
        public int Messages;
        public int Retained;
        public int Quality;
        public long Bytes;
        public string? Shape;
    }

    private struct Pending
    {
        public bool IsOpen;
        public long TimeNs;
        public long Bytes;
        public byte Flags;
        public bool HasClientId;
        public int KeepAlive;
        public int Topics;
        public int Wildcards;
        public int Everything;
        public string? Shape;
    }

    public override ApplicationProtocol Protocol => ApplicationProtocol.Mqtt;

    /// <summary>A CONNECT packet with the protocol's name.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
            return ProbeResult.Unsure;
        if (data[0] != (int)MqttType.Connect << 4)
            return ProbeResult.NotForUs;
        if (MqttHeader.Read(data) is not { } header)
            return ProbeResult.Unsure;
        if (header.Length < 10)
            return ProbeResult.NotForUs;
        var rest = data[header.HeaderLength..];
        rest = rest[..Math.Min(rest.Length, 8)];
        if (rest.StartsWith("\0\u0004MQTT"u8) || rest.StartsWith("\0\u0006MQIsdp"u8))
            return ProbeResult.Certain;
        return "\0\u0004MQTT"u8.StartsWith(rest) || "\0\u0006MQIsdp"u8.StartsWith(rest) ? ProbeResult.Unsure : ProbeResult.NotForUs;
    }

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (_isLost[(int)direction])
            return new StreamProgress(data.Length, 0, Everything);
        var at = 0;
        while (at < data.Length)
        {
            var rest = data[at..];
            if (MqttHeader.Read(rest) is not { } header)
                return new StreamProgress(at, Math.Min(MqttHeader.MaximumSize, rest.Length + 1));
            if (!header.IsValid)
            {
                Fail(context, direction, "not_mqtt");
                return new StreamProgress(data.Length, 0, Everything);
            }

            var total = header.HeaderLength + (long)header.Length;
            var head = (int)Math.Min(total, MaximumHeadBytes);
            if (rest.Length < head)
                return new StreamProgress(at, head);
            OnPacket(context, direction, header, rest[header.HeaderLength..head], total);
            var here = (int)Math.Min(total, rest.Length);
            at += here;
            if (here < total)
                return new StreamProgress(at, 0, total - here);
        }

        return new StreamProgress(at);
    }

    public override void OnGap(SessionContext context, FlowDirection direction, long bytes) => _isLost[(int)direction] = true;

    public override void OnEnd(SessionContext context)
    {
        Answer(context, ref _connect, MqttEvent.Connect, -1);
        Answer(context, ref _subscribe, MqttEvent.Subscribe, -1);
        Report(context, FlowDirection.FromOriginator);
        Report(context, FlowDirection.FromResponder);
    }

    public override void Reset()
    {
        Array.Clear(_published);
        Array.Clear(_isLost);
        _connect = _subscribe = default;
        _level = 0;
        _client = FlowDirection.FromOriginator;
    }

    private void OnPacket(SessionContext context, FlowDirection direction, in MqttHeader header, ReadOnlySpan<byte> body, long bytes)
    {
        ref var counters = ref context.Flow.Counters;
        var fields = new MqttFields(body);
        switch (header.Type)
        {
            case MqttType.Connect:
                _client = direction;
                counters.Requests++;
                Answer(context, ref _connect, MqttEvent.Connect, -1);
                fields.Text();
                _level = fields.Byte();
                _connect = new Pending { IsOpen = true, TimeNs = context.TimeNs, Bytes = bytes, Flags = fields.Byte(), KeepAlive = fields.Number() };
                if (_level >= 5)
                    fields.Properties();
                _connect.HasClientId = !fields.Text().IsEmpty;
                break;
            case MqttType.ConnectAcknowledge:
                counters.Responses++;
                fields.Byte();
                var code = fields.Byte();
                if (code == 0)
                    counters.Associations++;
                else
                    counters.Failures++;
                Answer(context, ref _connect, MqttEvent.Connect, code);
                break;
            case MqttType.Subscribe:
                counters.Requests++;
                Answer(context, ref _subscribe, MqttEvent.Subscribe, -1);
                ReadSubscribe(context, ref fields, bytes);
                break;
            case MqttType.SubscribeAcknowledge:
                counters.Responses++;
                fields.Number();
                if (_level >= 5)
                    fields.Properties();
                var granted = fields.Byte();
                if (granted >= 0x80)
                    counters.Failures++;
                Answer(context, ref _subscribe, MqttEvent.Subscribe, granted);
                break;
            case MqttType.Publish:
                counters.Objects++;
                counters.ObjectBytes += bytes;
                Count(context, direction, header, fields.Text(), bytes);
                break;
        }
    }

    private void ReadSubscribe(SessionContext context, ref MqttFields fields, long bytes)
    {
        _subscribe = new Pending { IsOpen = true, TimeNs = context.TimeNs, Bytes = bytes };
        fields.Number();
        if (_level >= 5)
            fields.Properties();
        while (!fields.IsEmpty && !fields.IsCut && _subscribe.Topics < MaximumTopics)
        {
            var topic = fields.Text();
            fields.Byte();
            if (_subscribe.Topics++ == 0)
                _subscribe.Shape = ShapeOf(context, topic);
            if (topic.ContainsAny((byte)'#', (byte)'+'))
                _subscribe.Wildcards++;
            if (topic is [(byte)'#'])
                _subscribe.Everything++;
        }
    }

    private void Answer(SessionContext context, ref Pending pending, MqttEvent kind, int code)
    {
        if (!pending.IsOpen)
            return;
        var transaction = context.Begin<MqttTransaction>(_client);
        transaction.Event = kind;
        transaction.TimeNs = pending.TimeNs;
        transaction.DurationNs = code >= 0 ? context.TimeNs - pending.TimeNs : -1;
        transaction.Bytes = pending.Bytes;
        transaction.Level = _level;
        transaction.Code = code;
        transaction.HasClientId = pending.HasClientId;
        transaction.HasUser = (pending.Flags & 0x80) != 0;
        transaction.HasPassword = (pending.Flags & 0x40) != 0;
        transaction.HasWill = (pending.Flags & 4) != 0;
        transaction.KeepAlive = pending.KeepAlive;
        transaction.Topics = pending.Topics;
        transaction.Wildcards = pending.Wildcards;
        transaction.Everything = pending.Everything;
        transaction.TopicShape = pending.Shape;
        context.Emit(transaction);
        pending = default;
    }

    private void Count(SessionContext context, FlowDirection direction, in MqttHeader header, ReadOnlySpan<byte> topic, long bytes)
    {
        ref var published = ref _published[(int)direction];
        if (published.Messages > 0 && context.TimeNs - published.SinceNs >= PublishIntervalNs)
            Report(context, direction);
        if (published.Messages++ == 0)
        {
            published.SinceNs = context.TimeNs;
            published.Shape = ShapeOf(context, topic);
        }

        published.LastNs = context.TimeNs;
        published.Bytes += bytes;
        published.Quality = Math.Max(published.Quality, header.Quality);
        if (header.IsRetained)
            published.Retained++;
    }

    private void Report(SessionContext context, FlowDirection direction)
    {
        ref var published = ref _published[(int)direction];
        if (published.Messages == 0)
            return;
        var transaction = context.Begin<MqttTransaction>(_client);
        transaction.Event = MqttEvent.Publish;
        transaction.TimeNs = published.SinceNs;
        transaction.IntervalNs = published.LastNs - published.SinceNs;
        transaction.Bytes = published.Bytes;
        transaction.Messages = published.Messages;
        transaction.Retained = published.Retained;
        transaction.Quality = published.Quality;
        transaction.ByServer = direction != _client;
        transaction.TopicShape = published.Shape;
        context.Emit(transaction);
        published = default;
    }

    private void Fail(SessionContext context, FlowDirection direction, string text)
    {
        _isLost[(int)direction] = true;
        context.Flow.Counters.Faults++;
        var transaction = context.Begin<MqttTransaction>(direction);
        transaction.Event = MqttEvent.Fault;
        transaction.FaultText = text;
        context.Emit(transaction);
    }

    private static string? ShapeOf(SessionContext context, ReadOnlySpan<byte> topic)
    {
        const int MaximumLevels = 16;
        Span<byte> shape = stackalloc byte[2 * MaximumLevels];
        var length = 0;
        for (var levels = 0; levels < MaximumLevels; levels++)
        {
            var slash = topic.IndexOf((byte)'/');
            var level = slash < 0 ? topic : topic[..slash];
            if (level is [(byte)'#'] or [(byte)'+'])
                shape[length++] = level[0];
            else if (level.StartsWith("$"u8))
                shape[length++] = (byte)'$';
            else if (!level.IsEmpty)
                shape[length++] = !level.ContainsAnyExceptInRange((byte)'0', (byte)'9') ? (byte)'9' : IsWord(level) ? (byte)'a' : (byte)'x';
            if (slash < 0)
                break;
            topic = topic[(slash + 1)..];
            shape[length++] = (byte)'/';
        }

        return context.Texts.Of(shape[..Math.Min(length, shape.Length)]);
    }

    private static bool IsWord(ReadOnlySpan<byte> level)
    {
        foreach (var letter in level)
        {
            if (!char.IsAsciiLetter((char)letter))
                return false;
        }

        return true;
    }
}
