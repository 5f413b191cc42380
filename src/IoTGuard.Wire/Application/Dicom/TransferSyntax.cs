namespace IoTGuard.Wire.Application.Dicom;

/// <summary>How the elements of a data set are encoded (PS3.5 7 and annex A).</summary>
public enum DataSetEncoding : byte
{
    /// <summary>Not known; guessed from the first element.</summary>
    Unknown,
    ImplicitLittleEndian,
    ExplicitLittleEndian,
    ExplicitBigEndian,

    /// <summary>Deflated as a whole; not looked into.</summary>
    Deflated,
}

/// <summary>What a transfer syntax means for reading a data set.</summary>
/// <param name="Encoding">Encoding of the elements.</param>
/// <param name="IsNative">True when pixel data is neither compressed nor encapsulated, so that its size follows from rows, columns and bits.</param>
public readonly record struct TransferSyntax(DataSetEncoding Encoding, bool IsNative)
{
    /// <summary>The properties of a transfer syntax UID: those of annex A that are not explicit VR little endian encapsulated are named here.</summary>
    public static TransferSyntax Of(string? uid) => uid switch
    {
        null => new(DataSetEncoding.Unknown, false),
        "1.2.840.10008.1.2" => new(DataSetEncoding.ImplicitLittleEndian, true),
        "1.2.840.10008.1.2.1" => new(DataSetEncoding.ExplicitLittleEndian, true),
        "1.2.840.10008.1.2.2" => new(DataSetEncoding.ExplicitBigEndian, true),
        "1.2.840.113619.5.2" => new(DataSetEncoding.ImplicitLittleEndian, true), // GE private: pixels big endian, elements not
        "1.2.840.10008.1.2.1.99" or "1.2.840.10008.1.2.4.95" or "1.2.840.10008.1.2.4.205" => new(DataSetEncoding.Deflated, false),
        _ when uid.StartsWith("1.2.840.10008.1.2.", StringComparison.Ordinal) => new(DataSetEncoding.ExplicitLittleEndian, false),
        _ => new(DataSetEncoding.Unknown, false),
    };
}
