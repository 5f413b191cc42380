using System.Text;

namespace IoTGuard.Outputs;

/// <summary>
/// Passes text on without the blanks that a table pads its lines with, so that files and comparisons stay clean. It passes it on in pieces that
/// end with a line, or when it is flushed.
/// </summary>
internal sealed class TrimmingWriter(TextWriter inner) : TextWriter
{
    private readonly StringBuilder _text = new();
    private int _blanks;

    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value)
    {
        if (value == ' ')
        {
            _blanks++;
            return;
        }

        if (value is not ('\n' or '\r'))
            _text.Append(' ', _blanks);
        _blanks = 0;
        _text.Append(value);
        if (value == '\n')
            PassOn();
    }

    public override void Flush()
    {
        PassOn();
        inner.Flush();
    }

    private void PassOn()
    {
        inner.Write(_text);
        _text.Clear();
    }
}
