using System.Buffers;
using System.Buffers.Text;
using System.Text;
using IoTGuard.Analysis.Features;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Network;
using IoTGuard.Wire.Transport;

namespace IoTGuard.Outputs;

/// <summary>
/// Flows as CSV: a header, then one line per flow. The identity columns come first and are not features; every feature of
/// <see cref="FlowFeatures"/> follows under its name. Numbers are written so that they read back exactly.
/// </summary>
internal sealed class FlowCsv
{
    private const string IdentityHeader =
        "first_seen,last_seen,originator_ip,originator_port,responder_ip,responder_port,ip_protocol,vlan,application,state,end,community_id";

    private static readonly string[] ApplicationNames = [.. Enum.GetNames<ApplicationProtocol>().Select(static n => n.ToLowerInvariant())];
    private static readonly string[] StateNames = Enum.GetNames<ConnectionState>();
    private static readonly string[] EndNames = Enum.GetNames<FlowEndReason>();

    private readonly OutputFile _file;
    private readonly float[] _features = new float[FlowFeatures.Schema.Count];

    public FlowCsv(OutputFile file)
    {
        _file = file;
        Append(IdentityHeader);
        foreach (var feature in FlowFeatures.Schema.Columns)
        {
            Append(",");
            Append(feature.Name);
        }

        file.EndLine();
    }

    public void Write(in FlowRecord flow)
    {
        var buffer = _file.Buffer;
        AppendTime(flow.FirstNs);
        AppendTime(flow.LastNs);
        Append(flow.Originator);
        Append(flow.OriginatorPort);
        Append(",");
        Append(flow.Responder);
        Append(flow.ResponderPort);
        Append(flow.IpProtocol);
        Append(flow.Vlan);
        Append(",");
        Append(ApplicationNames[(int)flow.Application]);
        Append(",");
        Append(StateNames[(int)flow.State]);
        Append(",");
        Append(EndNames[(int)flow.End]);
        Append(",");
        var key = FlowKey.Of(
            flow.Originator, flow.Responder, flow.OriginatorPort, flow.ResponderPort, flow.IpProtocol, 0, out var sender);
        CommunityId.Write(key, sender, buffer.GetSpan(CommunityId.Length));
        buffer.Advance(CommunityId.Length);
        FlowFeatures.Schema.Extract(flow, _features);
        foreach (var value in _features)
        {
            Append(",");
            var span = buffer.GetSpan(32);
            Utf8Formatter.TryFormat(value, span, out var length);
            buffer.Advance(length);
        }

        _file.EndLine();
    }

    private void Append(ReadOnlySpan<char> text)
    {
        var span = _file.Buffer.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length));
        _file.Buffer.Advance(Encoding.UTF8.GetBytes(text, span));
    }

    private void Append(int number)
    {
        var span = _file.Buffer.GetSpan(16);
        span[0] = (byte)',';
        Utf8Formatter.TryFormat(number, span[1..], out var length);
        _file.Buffer.Advance(1 + length);
    }

    private void Append(IpAddress address)
    {
        Span<char> text = stackalloc char[IpAddress.MaximumTextLength];
        Append(text[..address.Format(text)]);
    }

    private void AppendTime(long timeNs)
    {
        PacketTime.Format(timeNs, _file.Buffer.GetSpan(PacketTime.TextLength));
        _file.Buffer.Advance(PacketTime.TextLength);
        Append(",");
    }
}
