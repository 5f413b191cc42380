using System.Buffers;
using System.Text;
using System.Text.Json;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Network;
using IoTGuard.Wire.Transport;
using IoTGuard.Wire.Tunnels;

namespace IoTGuard.Outputs;

/// <summary>A transaction as one JSON object, in the form that the design states. Allocates nothing per transaction.</summary>
/// <param name="withPseudonyms">False when the run has no key of a site: then pseudonyms would mean nothing to anybody and stay unwritten.</param>
internal sealed class TransactionJson(bool withPseudonyms) : IDisposable
{
    /// <summary>Ids remembered, so that a connection with many transactions is hashed once.</summary>
    private const int RememberedIds = 1024;

    private readonly Utf8JsonWriter _writer = new(Stream.Null, JsonForm.Options);
    private readonly (FlowKey Key, Endpoint Sender)[] _remembered = new (FlowKey, Endpoint)[RememberedIds];
    private readonly byte[] _ids = new byte[RememberedIds * CommunityId.Length];

    public void Write(IBufferWriter<byte> destination, Transaction transaction)
    {
        var json = _writer;
        json.Reset(destination);
        json.WriteStartObject();
        json.WriteTime("time"u8, transaction.TimeNs);
        json.WriteString("protocol"u8, transaction.Protocol);
        json.WriteString("event"u8, transaction.EventName);
        WriteEndpoint("client"u8, transaction.Client, transaction.ClientPort);
        WriteEndpoint("server"u8, transaction.Server, transaction.ServerPort);
        var key = FlowKey.Of(
            transaction.Client, transaction.Server, transaction.ClientPort, transaction.ServerPort, transaction.IpProtocol, 0, out var sender);
        json.WriteString("community_id"u8, IdOf(key, sender));
        json.WriteNumber("bytes"u8, transaction.Bytes);
        if (transaction.DurationNs >= 0)
            json.WriteNumber("duration"u8, transaction.DurationNs / 1e9);
        else
            json.WriteNull("duration"u8);
        if (!transaction.Encapsulation.IsNone)
            WriteEncapsulation(transaction.Encapsulation);
        var fields = new FieldWriter(json, withPseudonyms);
        transaction.WriteFields(ref fields);
        json.WriteEndObject();
        json.Flush();
    }

    public void Dispose() => _writer.Dispose();

    private ReadOnlySpan<byte> IdOf(in FlowKey key, Endpoint sender)
    {
        var place = key.GetHashCode() & (RememberedIds - 1);
        var id = _ids.AsSpan(place * CommunityId.Length, CommunityId.Length);
        ref var remembered = ref _remembered[place];
        if (remembered.Key != key || remembered.Sender != sender)
        {
            remembered = (key, sender);
            CommunityId.Write(key, sender, id);
        }

        return id;
    }

    private void WriteEncapsulation(in Encapsulation tunnel)
    {
        _writer.WriteStartObject("encapsulation"u8);
        _writer.WriteString("kind"u8, TunnelKinds.NameOf(tunnel.Kind));
        _writer.WriteNumber("id"u8, tunnel.Id);
        if (tunnel.Source != default)
        {
            WriteAddress("source"u8, tunnel.Source);
            WriteAddress("destination"u8, tunnel.Destination);
        }

        _writer.WriteEndObject();
    }

    private void WriteAddress(ReadOnlySpan<byte> name, IpAddress address)
    {
        Span<char> text = stackalloc char[IpAddress.MaximumTextLength];
        _writer.WriteString(name, text[..address.Format(text)]);
    }

    private void WriteEndpoint(ReadOnlySpan<byte> name, IpAddress address, ushort port)
    {
        _writer.WriteStartObject(name);
        WriteAddress("ip"u8, address);
        _writer.WriteNumber("port"u8, port);
        _writer.WriteEndObject();
    }

    private readonly ref struct FieldWriter(Utf8JsonWriter json, bool withPseudonyms) : IFieldWriter
    {
        public void Text(string name, string? value)
        {
            if (value is not null)
                json.WriteString(name, value);
        }

        public void Text(string name, ReadOnlySpan<byte> value)
        {
            if (value.IsEmpty)
                return;

            // Latin-1 is the superset of what the standards allow here; control characters must not reach terminals.
            Span<char> text = stackalloc char[256];
            text = text[..Encoding.Latin1.GetChars(value[..Math.Min(value.Length, text.Length)], text)];
            foreach (ref var c in text)
            {
                if (char.IsControl(c))
                    c = '\uFFFD';
            }

            json.WriteString(name, text);
        }

        public void Number(string name, long value) => json.WriteNumber(name, value);

        public void Real(string name, double value)
        {
            if (double.IsFinite(value))
                json.WriteNumber(name, value);
            else
                json.WriteNull(name);
        }

        public void Flag(string name, bool value) => json.WriteBoolean(name, value);

        public void Pseudonym(string name, Pseudonym value)
        {
            if (!withPseudonyms || value.IsNone)
                return;
            Span<char> text = stackalloc char[32];
            value.High.TryFormat(text, out _, "x16");
            value.Low.TryFormat(text[16..], out _, "x16");
            json.WriteString(name, text);
        }

        public void List(string name, ReadOnlySpan<string> values)
        {
            json.WriteStartArray(name);
            foreach (var value in values)
                json.WriteStringValue(value);
            json.WriteEndArray();
        }

        public void BeginObject(string name) => json.WriteStartObject(name);

        public void EndObject() => json.WriteEndObject();
    }
}
