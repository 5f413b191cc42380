using System.Text;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Sessions;

namespace IoTGuard.Analysis.Tests.Http;

/// <summary>HTTP messages for tests.</summary>
internal static class HttpBytes
{
    public static byte[] Latin(string text) => Encoding.Latin1.GetBytes(text);

    public static string Body(string head, string body) => $"{head}\r\nContent-Length: {body.Length}\r\n\r\n{body}";

    /// <summary>A DICOM file of some kilobytes.</summary>
    public static string DicomFile(string preamble = "", int pixels = 4000)
    {
        var text = new StringBuilder(preamble.PadRight(128, '\0')).Append("DICM");
        Element("\u0002\0", "UI", "1.2.840.10008.5.1.4.1.1.2\0");
        Element("\u0003\0", "UI", "1.2.3.4.5\0");
        Element("\u0010\0", "UI", "1.2.840.10008.1.2.1\0");
        Element("\u0016\0", "AE", "CT1 ");
        return text.Append("\u0010\0\u0010\0PN").Append("\u0008\0DOE^JANE").Append('\u00aa', pixels).ToString();

        void Element(string number, string vr, string value) => text.Append("\u0002\0").Append(number).Append(vr).Append((char)value.Length).Append('\0').Append(value);
    }

    /// <summary>What a request alone, answered with 200, emits.</summary>
    public static string Request(string head, string body = "", string response = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ushort port = 80) =>
        SessionContract.Whole(() => new HttpSession(), [Turn.Client(body.Length > 0 ? Body(head, body) : head + "\r\n\r\n"), Turn.Server(response)], port)[^1];
}
