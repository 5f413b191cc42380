namespace IoTGuard.Wire.Application.Hl7;

/// <summary>Octets and limits of the minimal lower layer protocol (HL7 transport specification: MLLP, releases 1 and 2).</summary>
public static class Mllp
{
    /// <summary>Start block, VT.</summary>
    public const byte StartBlock = 0x0B;

    /// <summary>First octet of the end block, FS; the second is <see cref="CarriageReturn"/>.</summary>
    public const byte EndBlock = 0x1C;

    /// <summary>Second octet of the end block, and the segment terminator of HL7 v2 (chapter 2.5.3).</summary>
    public const byte CarriageReturn = 0x0D;

    /// <summary>Not of the standard, but what many files and some senders end segments with.</summary>
    public const byte LineFeed = 0x0A;

    /// <summary>MLLP release 2: the single content octet of a commit acknowledgement.</summary>
    public const byte CommitAcknowledgement = 0x06;

    /// <summary>MLLP release 2: the single content octet of a negative commit acknowledgement.</summary>
    public const byte NegativeCommitAcknowledgement = 0x15;

    /// <summary>
    /// How the bytes after a VT in the middle of a message look: a new frame (true), text (false), or too few to tell (null).
    /// A VT inside text is forbidden but harmless; a new frame means that the end block before it is missing.
    /// </summary>
    public static bool? StartsFrame(ReadOnlySpan<byte> afterStartBlock)
    {
        if (afterStartBlock.IsEmpty)
            return null;
        if (afterStartBlock[0] is CommitAcknowledgement or NegativeCommitAcknowledgement)
            return afterStartBlock.Length < 2 ? null : afterStartBlock[1] == EndBlock;
        return Hl7SegmentId.StartsMessage(afterStartBlock);
    }
}
