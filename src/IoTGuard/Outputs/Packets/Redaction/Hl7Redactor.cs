namespace IoTGuard.Outputs.Packets.Redaction;

/// <summary>
/// HL7 v2 over MLLP or bare: keeps block characters, segment names, delimiters, and all of MSH and MSA; every other letter and digit becomes X. What is in no
/// segment with a proper name is blanked.
/// </summary>
internal sealed class Hl7Redactor
{
    private const byte StartBlock = 0x0B;
    private const byte EndBlock = 0x1C;
    private const byte CarriageReturn = 0x0D;
    private const byte LineFeed = 0x0A;
    private const int NameLength = 3;

    private readonly byte[] _name = new byte[NameLength];
    private int _at;
    private bool _isKept;

    public static bool IsStart(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= 5 && (bytes[0] == StartBlock ? bytes[1..].StartsWith("MSH"u8) : bytes.StartsWith("MSH"u8));

    public void Reset() => _at = 0;

    public void Redact(Span<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            ref var b = ref bytes[i];
            if (b is StartBlock or EndBlock or CarriageReturn or LineFeed)
            {
                _at = 0;
                continue;
            }

            if (_at < NameLength)
            {
                // The name of a segment: a capital, then capitals and digits (HL7 v2, 2.5.2).
                var isName = b is >= (byte)'A' and <= (byte)'Z' || (_at > 0 && b is >= (byte)'0' and <= (byte)'9');
                _name[_at++] = b;
                if (isName)
                {
                    _isKept = _at == NameLength && (_name.AsSpan().SequenceEqual("MSH"u8) || _name.AsSpan().SequenceEqual("MSA"u8));
                    continue;
                }

                _at = NameLength;
                _isKept = false;
            }

            if (!_isKept && b is not ((byte)'|' or (byte)'^' or (byte)'~' or (byte)'\\' or (byte)'&'))
                b = (byte)'X';
        }
    }
}
