using System.Buffers.Binary;

namespace IoTGuard.Outputs.Packets.Redaction;

/// <summary>One direction of a TCP connection: hands bytes that follow each other to the redactor of their protocol, and blanks all others.</summary>
internal sealed class StreamRedactor
{
    private enum Content
    {
        /// <summary>Not known: everything is blanked until a segment begins like something known.</summary>
        Unknown,
        Dicom,
        Hl7,

        /// <summary>TLS or SSH: nothing to blank.</summary>
        Encrypted,
    }

    /// <summary>Segments remembered, so that a copy of one is made the same: a mirror delivers many packets twice.</summary>
    private const int Remembered = 32;

    private readonly Queue<Segment> _recent = new(Remembered);
    private readonly DicomRedactor _dicom = new();
    private readonly Hl7Redactor _hl7 = new();
    private Content _content;
    private uint _next;
    private bool _hasBegun;

    private readonly record struct Segment(uint First, byte[] Before, byte[] After);

    /// <param name="payload">Bytes of a segment, changed in place.</param>
    /// <param name="sequence">TCP sequence number of the segment.</param>
    /// <param name="isStart">True for a SYN, which takes one sequence number.</param>
    public void Redact(Span<byte> payload, uint sequence, bool isStart)
    {
        var first = isStart ? sequence + 1 : sequence;
        foreach (var segment in _recent)
        {
            if (segment.First == first && payload.SequenceEqual(segment.Before))
            {
                segment.After.CopyTo(payload);
                return;
            }
        }

        var before = payload.ToArray();
        RedactNew(payload, first, isStart);
        if (_recent.Count == Remembered)
            _recent.Dequeue();
        _recent.Enqueue(new Segment(first, before, payload.ToArray()));
    }

    private void RedactNew(Span<byte> payload, uint first, bool isStart)
    {
        var end = first + (uint)payload.Length;
        if (_hasBegun && !isStart)
        {
            var ahead = (int)(first - _next);
            if (ahead < 0)
            {
                // Sent before: what was kept of it then is not told again.
                var old = Math.Min(-(long)ahead, payload.Length);
                payload[..(int)old].Clear();
                payload = payload[(int)old..];
                if (payload.IsEmpty)
                    return;
            }
            else if (ahead > 0)
            {
                _content = Content.Unknown;
            }
        }

        _hasBegun = true;
        _next = end;
        if (_content == Content.Unknown)
            Recognise(payload);
        switch (_content)
        {
            case Content.Dicom when !_dicom.TryRedact(payload):
            case Content.Unknown:
                payload.Clear();
                _content = Content.Unknown;
                break;
            case Content.Hl7:
                _hl7.Redact(payload);
                break;
        }
    }

    private void Recognise(ReadOnlySpan<byte> payload)
    {
        if (DicomRedactor.IsPdu(payload))
        {
            _content = Content.Dicom;
            _dicom.Reset();
        }
        else if (Hl7Redactor.IsStart(payload))
        {
            _content = Content.Hl7;
            _hl7.Reset();
        }
        else if (IsTls(payload) || payload.StartsWith("SSH-"u8))
        {
            _content = Content.Encrypted;
        }
    }

    /// <summary>A record of TLS: its type, major version 3, a length that TLS allows.</summary>
    private static bool IsTls(ReadOnlySpan<byte> payload) =>
        payload.Length >= 5 && payload[0] is >= 20 and <= 23 && payload[1] == 3 && payload[2] <= 4
        && BinaryPrimitives.ReadUInt16BigEndian(payload[3..]) is > 0 and <= (1 << 14) + 2048;
}
