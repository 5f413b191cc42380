using IoTGuard.Analysis.Flows;
using IoTGuard.Wire;
using IoTGuard.Wire.Application.Smb;

namespace IoTGuard.Analysis.Sessions;

public sealed partial class SmbSession
{
    /// <summary>Messages chained in one (AndX) that are read.</summary>
    public const int MaximumChain = 4;

    private const ushort TransactPipe = 0x26;
    private const ushort PeekPipe = 0x23;
    private const ushort FindFirst = 1;
    private const ushort FindNext = 2;
    private const ushort SetPathInformation = 6;
    private const ushort SetFileInformation = 8;
    private const ushort SessionSetup = 0x0E;

    // What the implant DoublePulsar answers with, 0x10 above the id it was asked with (0x41).
    private const ushort ImplantMultiplexId = 0x51;
    private const uint LargestHonestTransaction = 0xFFFF;

    /// <summary>Multiplex id of an NT_TRANSACT that announced more data than a 16-bit count can hold; -1 = none.</summary>
    private int _largeTransaction;

    private void ForgetSmb1() => _largeTransaction = -1;

    private void OnSmb1(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> message, int length)
    {
        if (!Smb1Header.TryRead(message, out var header) || !Smb1Block.TryRead(message, Smb1Header.Size, out var block))
        {
            Fail(context, direction, FaultKind.Truncated, "short_message");
            return;
        }

        _version = 1;
        _client = header.IsResponse ? (FlowDirection)(1 - (int)direction) : direction;
        if (header.IsResponse)
        {
            OnSmb1Response(context, header, message, block, length);
            return;
        }

        context.Flow.Counters.Requests++;
        var command = header.Command;
        for (var links = 0; links < MaximumChain; links++)
        {
            ref var request = ref _tables.Ask(header.MultiplexId, (byte)header.Command, context.TimeNs, header.TreeId, length);
            OnSmb1Request(context, direction, header, command, ref request, message, block);

            // AndX commands begin with the command that follows and where it lies (MS-CIFS 2.2.3.4).
            if (!HasAndX(command) || block.WordCount < 2 || (Smb1Command)block.Words[0] == Smb1Command.NoAndXCommand)
                return;
            command = (Smb1Command)block.Words[0];
            if (block.Word(1) <= block.DataOffset - 2 || !Smb1Block.TryRead(message, block.Word(1), out block))
                return;
        }
    }

    private static bool HasAndX(Smb1Command command) => command is Smb1Command.SessionSetupAndX or Smb1Command.TreeConnectAndX or Smb1Command.OpenAndX
        or Smb1Command.ReadAndX or Smb1Command.WriteAndX or Smb1Command.LogoffAndX or Smb1Command.NtCreateAndX;

    private void OnSmb1Request(
        SessionContext context, FlowDirection client, in Smb1Header header, Smb1Command command, ref SmbRequest request, ReadOnlySpan<byte> message, in Smb1Block block)
    {
        switch (command)
        {
            case Smb1Command.Negotiate:
                ReadSmb1Dialects(context, block.Data);
                break;
            case Smb1Command.SessionSetupAndX:
                OnSmb1SessionSetup(context, header, block);
                break;
            case Smb1Command.TreeConnectAndX:
                var rest = block.Data[Math.Min(block.Word(3), block.Data.Length)..];
                var place = block.DataOffset + (block.Data.Length - rest.Length);
                request.Name = SmbText.Of(context, SmbText.Take(ref rest, ref place, header.IsUnicode), header.IsUnicode, afterLast: '\\');
                break;
            case Smb1Command.TreeDisconnect:
                Disconnected(context, header.TreeId);
                break;
            case Smb1Command.NtCreateAndX or Smb1Command.OpenAndX:
                OnSmb1Open(context, header, command, ref request, block);
                break;
            case Smb1Command.Close:
                _tables.Close(new Smb2FileId(header.TreeId, block.Word(0)));
                break;
            case Smb1Command.ReadAndX when !IsPipe(new Smb2FileId(header.TreeId, block.Word(2))):
                Counting(context, header.TreeId).Counts.Reads++;
                break;
            case Smb1Command.WriteAndX:
                OnSmb1Write(context, client, header, message, block);
                break;
            case Smb1Command.Delete:
                Counting(context, header.TreeId).Counts.Deletes++;
                break;
            case Smb1Command.Rename:
                OnSmb1Rename(context, header, block);
                break;
            case Smb1Command.Transaction or Smb1Command.Transaction2:
                OnSmb1Transaction(context, client, header, command, ref request, message, block);
                break;
            case Smb1Command.NtTransact when block.DoubleWordAt(7) > LargestHonestTransaction:
                _largeTransaction = header.MultiplexId;
                break;

            // The bug of MS17-010: a transaction that was begun as NT_TRANSACT and goes on as TRANSACTION2 has its 32-bit size cut to 16 bits.
            case Smb1Command.Transaction2Secondary when _largeTransaction >= 0:
                Fail(context, client, FaultKind.UnexpectedMessage, "nt_transact_continued_by_transaction2");
                _largeTransaction = -1;
                break;
        }
    }

    private void ReadSmb1Dialects(SessionContext context, ReadOnlySpan<byte> data)
    {
        // Each is 0x02, a text, NUL (MS-CIFS 2.2.4.52.1).
        Span<byte> text = stackalloc byte[TextInterner.MaximumTextBytes];
        var length = 0;
        while (data.Length > 1 && data[0] == 2)
        {
            var end = data.IndexOf((byte)0);
            var name = data[1..(end < 0 ? data.Length : end)];
            if (length + name.Length + 1 <= text.Length)
            {
                if (length > 0)
                    text[length++] = (byte)',';
                name.CopyTo(text[length..]);
                length += name.Length;
            }

            if (end < 0)
                break;
            data = data[(end + 1)..];
        }

        _dialects = context.Texts.Of(text[..length]);
    }

    private void OnSmb1SessionSetup(SessionContext context, in Smb1Header header, in Smb1Block block)
    {
        const int ExtendedSecurityWords = 12;
        var rest = block.Data;
        var place = block.DataOffset;
        if (block.WordCount == ExtendedSecurityWords)
        {
            var token = rest[..Math.Min(block.Word(7), rest.Length)];
            OnToken(context, token, isServer: false);
            rest = rest[token.Length..];
            place += token.Length;
        }
        else
        {
            OnToken(context, default, isServer: false);
            var passwords = Math.Min(block.Word(7) + block.Word(8), rest.Length);
            rest = rest[passwords..];
            place += passwords;
            var account = SmbText.Take(ref rest, ref place, header.IsUnicode);
            _user = context.Pseudonyms.Of(PseudonymKind.User, account);
            _isAnonymous = account.IsEmpty && passwords <= 2;
            _domain = SmbText.Of(context, SmbText.Take(ref rest, ref place, header.IsUnicode), header.IsUnicode);
        }

        _clientSystem = SmbText.Of(context, SmbText.Take(ref rest, ref place, header.IsUnicode), header.IsUnicode) ?? _clientSystem;
    }

    private void OnSmb1Open(SessionContext context, in Smb1Header header, Smb1Command command, ref SmbRequest request, in Smb1Block block)
    {
        var rest = block.Data;
        var place = block.DataOffset;
        var name = SmbText.Take(ref rest, ref place, header.IsUnicode);
        if (command == Smb1Command.NtCreateAndX)
            request.DeletesOnClose = (block.DoubleWordAt(39) & 0x1000) != 0;
        if (IsPipeTree(header.TreeId))
        {
            request.Name = SmbText.Of(context, name, header.IsUnicode, afterLast: '\\');
            return;
        }

        Span<byte> shape = stackalloc byte[16];
        FileShape.Extension(name, header.IsUnicode, shape, out _, out request.Extension);
        Counting(context, header.TreeId).Counts.Opens++;
    }

    private void OnSmb1Write(SessionContext context, FlowDirection client, in Smb1Header header, ReadOnlySpan<byte> message, in Smb1Block block)
    {
        var at = block.Word(11);
        var data = at > 0 && at < message.Length ? message[at..] : default;
        long length = block.Word(10) | ((uint)block.Word(9) << 16);
        data = data[..(int)Math.Min(data.Length, length)];
        ref var handle = ref _tables.Find(new Smb2FileId(header.TreeId, block.Word(2)), out var found);
        if (found && handle.Pipe is not null)
            OnPipe(context, client, ref handle, data);
        else
            CountWrite(context, ref Counting(context, header.TreeId), data[..Math.Min(data.Length, SampleBytes)], length, isStart: block.DoubleWordAt(6) == 0);
    }

    private void OnSmb1Rename(SessionContext context, in Smb1Header header, in Smb1Block block)
    {
        // Each name has a byte 0x04 in front (MS-CIFS 2.2.4.8.1).
        var rest = block.Data.IsEmpty ? default : block.Data[1..];
        var place = block.DataOffset + 1;
        var old = SmbText.Take(ref rest, ref place, header.IsUnicode);
        rest = rest.IsEmpty ? default : rest[1..];
        place++;
        var target = SmbText.Take(ref rest, ref place, header.IsUnicode);
        Span<byte> shape = stackalloc byte[16];
        FileShape.Extension(old, header.IsUnicode, shape, out _, out var extension);
        CountRename(context, ref Counting(context, header.TreeId), extension, isOldKnown: true, target, header.IsUnicode);
    }

    private void OnSmb1Transaction(
        SessionContext context, FlowDirection client, in Smb1Header header, Smb1Command command, ref SmbRequest request, ReadOnlySpan<byte> message, in Smb1Block block)
    {
        const int FirstSetupWord = 14;
        var function = block.Word(FirstSetupWord);
        request.Function = function;
        if (command == Smb1Command.Transaction)
        {
            if (function != TransactPipe)
                return;
            ref var handle = ref _tables.Find(new Smb2FileId(header.TreeId, block.Word(FirstSetupWord + 1)), out var found);
            if (found && block.Word(12) < message.Length)
                OnPipe(context, client, ref handle, message[block.Word(12)..]);
            return;
        }

        switch (function)
        {
            case FindFirst or FindNext:
                Counting(context, header.TreeId).Counts.DirectoryQueries++;
                break;
            case SetPathInformation or SetFileInformation:
                // Level SMB_SET_FILE_DISPOSITION_INFO (MS-CIFS 2.2.2.3.4) or its pass-through form.
                var parameters = message[Math.Min(block.Word(10), message.Length)..];
                var level = parameters.Length < 4 ? 0 : function == SetFileInformation ? parameters[2] | (parameters[3] << 8) : parameters[0] | (parameters[1] << 8);
                if (level is 0x0102 or 1013)
                    Counting(context, header.TreeId).Counts.Deletes++;
                break;

            // Reserved, and used by no client; the implant DoublePulsar is asked this way whether it is there.
            case SessionSetup:
                Fail(context, client, FaultKind.UnexpectedMessage, "transaction2_session_setup");
                break;
        }
    }

    private void OnSmb1Response(SessionContext context, in Smb1Header header, ReadOnlySpan<byte> message, in Smb1Block block, int length)
    {
        ref var counters = ref context.Flow.Counters;
        counters.Responses++;
        var status = header.HasNtStatus || header.Status == 0 ? header.Status : 0xC000_0001;
        var failed = NtStatus.IsFailure(status);
        if (failed)
            counters.Failures++;
        ref var request = ref _tables.Answer(header.MultiplexId, (byte)header.Command, out var found);
        var duration = found ? context.TimeNs - request.TimeNs : 0;
        var bytes = length + (found ? request.Bytes : 0);
        switch (header.Command)
        {
            case Smb1Command.Negotiate when !failed && block.Word(0) != ushort.MaxValue:
                Negotiated(context, _client, block.WordCount == 17 ? "NT LM 0.12" : null, block.WordCount == 17 && (block.Words[2] & 8) != 0, encrypts: false, duration, bytes);
                break;
            case Smb1Command.SessionSetupAndX:
                OnSmb1LoggedOn(context, header, status, failed, block, bytes);

                // A tree may have been asked for in the same message.
                if (!failed && found && request.Name is { } share && header.TreeId != 0)
                    Connected(context, _client, header.TreeId, share, SmbShareKind.Unknown, encrypts: false, status, duration, bytes);
                break;
            case Smb1Command.TreeConnectAndX:
                var kind = block.Data.StartsWith("IPC\0"u8) ? SmbShareKind.Pipe : block.Data.StartsWith("LPT1:"u8) ? SmbShareKind.Print : failed ? SmbShareKind.Unknown : SmbShareKind.Disk;
                Connected(context, _client, header.TreeId, found ? request.Name : null, kind, encrypts: false, status, duration, bytes);
                break;
            case Smb1Command.NtCreateAndX or Smb1Command.OpenAndX when found:
                OnSmb1Opened(context, header, request, block, failed);
                break;
            case Smb1Command.ReadAndX when !failed && !IsPipeTree(header.TreeId):
                var read = block.Word(5) | ((long)block.Word(7) << 16);
                Counting(context, header.TreeId).Counts.ReadBytes += read;
                counters.ObjectBytes += read;
                break;
            case Smb1Command.Transaction when found && request.Function == PeekPipe && status == NtStatus.InsufficientServerResources:
                // What a server without the update MS17-010 answers, and patched ones don't.
                Fail(context, _client, FaultKind.UnexpectedMessage, "ms17_010_probe_answered");
                break;
            case Smb1Command.Transaction2 when header.MultiplexId == ImplantMultiplexId && status == NtStatus.NotImplemented:
                Fail(context, _client, FaultKind.UnexpectedMessage, "doublepulsar_answer");
                break;
        }

        if (found)
            request = default;
    }

    private void OnSmb1LoggedOn(SessionContext context, in Smb1Header header, uint status, bool failed, in Smb1Block block, int bytes)
    {
        var rest = block.Data;
        var place = block.DataOffset;
        if (block.WordCount == 4)
        {
            var token = rest[..Math.Min(block.Word(3), rest.Length)];
            OnToken(context, token, isServer: true);
            rest = rest[token.Length..];
            place += token.Length;
        }

        if (!failed && block.WordCount >= 3)
            _serverSystem = SmbText.Of(context, SmbText.Take(ref rest, ref place, header.IsUnicode), header.IsUnicode) ?? _serverSystem;
        if (status != NtStatus.MoreProcessingRequired)
            LoggedOn(context, _client, status, !failed && (block.Word(2) & 1) != 0, isNull: false, encrypts: false, bytes);
    }

    private void OnSmb1Opened(SessionContext context, in Smb1Header header, in SmbRequest request, in Smb1Block block, bool failed)
    {
        if (failed)
        {
            if (request.Name is null)
                Counting(context, header.TreeId).Counts.Failures++;
            return;
        }

        var isNt = header.Command == Smb1Command.NtCreateAndX;
        var fid = isNt ? (ushort)(block.DoubleWordAt(4) >> 8) : block.Word(2);
        _tables.Open(new SmbHandle { Id = new Smb2FileId(header.TreeId, fid), Pipe = request.Name, Extension = request.Extension });
        if (request.Name is not null)
            return;
        context.Flow.Counters.Objects++;
        ref var counts = ref Counting(context, header.TreeId).Counts;
        if (isNt && block.DoubleWordAt(7) is 0 or 2 or 3)
            counts.Created++;
        if (request.DeletesOnClose)
            counts.Deletes++;
    }
}
