using System.Buffers;
using System.Buffers.Text;
using System.Text;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Network;
using IoTGuard.Wire.Transport;
using IoTGuard.Wire.Tunnels;

namespace IoTGuard.Outputs;

/// <summary>A transaction as one JSON object, in the form that the design states. Allocates nothing per transaction.</summary>
/// <param name="withPseudonyms">False when the run has no key of a site: then pseudonyms would mean nothing to anybody and stay unwritten.</param>
/// <param name="communityIdSeed">Seed of the community ids.</param>
internal sealed class TransactionJson(bool withPseudonyms, ushort communityIdSeed = 0)
{
    /// <summary>Connections remembered, so that one with many transactions is hashed and formatted once.</summary>
    private const int RememberedConnections = 1024;

    /// <summary>Most bytes of what is remembered of one: two endpoints, two addresses of 39 characters and two ports, and the id.</summary>
    private const int ConnectionBytes = 256;

    private readonly JsonLine _line = new();
    private readonly JsonLine _scratch = new();
    private readonly (FlowKey Key, Endpoint Sender)[] _keys = new (FlowKey, Endpoint)[RememberedConnections];
    private readonly byte[] _connections = new byte[RememberedConnections * ConnectionBytes];
    private readonly int[] _lengths = new int[RememberedConnections];

    public void Write(IBufferWriter<byte> destination, Transaction transaction)
    {
        var json = _line;
        json.Clear();
        json.BeginObject();
        PacketTime.Format(transaction.TimeNs, json.PlainText("time", PacketTime.TextLength));
        json.Text("protocol", transaction.Protocol);
        json.Text("event", transaction.EventName);
        json.Members(ConnectionOf(transaction));
        json.Number("bytes", transaction.Bytes);
        json.Number("duration", transaction.DurationNs >= 0 ? transaction.DurationNs / 1e9 : double.NaN);
        if (!transaction.Encapsulation.IsNone)
            WriteEncapsulation(transaction.Encapsulation);
        var fields = new FieldWriter(json, withPseudonyms);
        transaction.WriteFields(ref fields);
        json.EndObject();
        destination.Write(json.Written);
    }

    /// <summary>The members that all transactions of a connection have in common: client, server and community id.</summary>
    private ReadOnlySpan<byte> ConnectionOf(Transaction transaction)
    {
        var key = FlowKey.Of(
            transaction.Client, transaction.Server, transaction.ClientPort, transaction.ServerPort, transaction.IpProtocol, 0, out var sender);
        var place = key.GetHashCode() & (RememberedConnections - 1);
        var room = _connections.AsSpan(place * ConnectionBytes, ConnectionBytes);
        ref var remembered = ref _keys[place];
        if (_lengths[place] == 0 || remembered.Key != key || remembered.Sender != sender)
        {
            _scratch.Clear();
            WriteEndpoint("client", transaction.Client, transaction.ClientPort);
            WriteEndpoint("server", transaction.Server, transaction.ServerPort);
            CommunityId.Write(key, sender, _scratch.PlainText("community_id", CommunityId.Length), communityIdSeed);
            remembered = (key, sender);
            _lengths[place] = _scratch.Written.Length;
            _scratch.Written.CopyTo(room);
        }

        return room[.._lengths[place]];
    }

    private void WriteEndpoint(string name, IpAddress address, ushort port)
    {
        _scratch.BeginObject(name);
        WriteAddress(_scratch, "ip", address);
        _scratch.Number("port", port);
        _scratch.EndObject();
    }

    private void WriteEncapsulation(in Encapsulation tunnel)
    {
        _line.BeginObject("encapsulation");
        _line.Text("kind", TunnelKinds.NameOf(tunnel.Kind));
        _line.Number("id", tunnel.Id);
        if (tunnel.Source != default)
        {
            WriteAddress(_line, "source", tunnel.Source);
            WriteAddress(_line, "destination", tunnel.Destination);
        }

        _line.EndObject();
    }

    private static void WriteAddress(JsonLine json, string name, IpAddress address)
    {
        Span<char> text = stackalloc char[IpAddress.MaximumTextLength];
        json.Text(name, text[..address.Format(text)]);
    }

    private readonly ref struct FieldWriter(JsonLine json, bool withPseudonyms) : IFieldWriter
    {
        public void Text(string name, string? value)
        {
            if (value is not null)
                json.Text(name, value);
        }

        public void Text(string name, ReadOnlySpan<byte> value)
        {
            if (value.IsEmpty)
                return;

            // Latin-1 is the superset of what the standards allow here; control characters must not reach terminals.
            value = value[..Math.Min(value.Length, 256)];
            if (!IsControl(value))
            {
                json.Latin1(name, value);
                return;
            }

            Span<char> text = stackalloc char[256];
            text = text[..Encoding.Latin1.GetChars(value, text)];
            foreach (ref var c in text)
            {
                if (char.IsControl(c))
                    c = '\uFFFD';
            }

            json.Text(name, text);
        }

        public void Number(string name, long value) => json.Number(name, value);

        public void Real(string name, double value) => json.Number(name, value);

        public void Flag(string name, bool value) => json.Flag(name, value);

        public void Pseudonym(string name, Pseudonym value)
        {
            if (!withPseudonyms || value.IsNone)
                return;
            var text = json.PlainText(name, 32);
            value.High.TryFormat(text, out _, "x16");
            value.Low.TryFormat(text[16..], out _, "x16");
        }

        public void List(string name, ReadOnlySpan<string> values)
        {
            json.BeginArray(name);
            foreach (var value in values)
                json.Text(value);
            json.EndArray();
        }

        public void BeginObject(string name) => json.BeginObject(name);

        public void EndObject() => json.EndObject();

        /// <summary>True when one of the bytes is a control character of Latin-1 (0 to 1F, 7F to 9F).</summary>
        private static bool IsControl(ReadOnlySpan<byte> value) =>
            value.IndexOfAnyInRange((byte)0, (byte)0x1F) >= 0 || value.IndexOfAnyInRange((byte)0x7F, (byte)0x9F) >= 0;
    }
}
