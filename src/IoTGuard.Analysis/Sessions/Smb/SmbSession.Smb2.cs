using System.Buffers.Binary;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire;
using IoTGuard.Wire.Application.Smb;

namespace IoTGuard.Analysis.Sessions;

public sealed partial class SmbSession
{
    private const uint PipeTransceive = 0x0011_C017;
    private const byte FileInformation = 1;
    private const byte RenameInformation = 10;
    private const byte DispositionInformation = 13;
    private const byte DispositionInformationEx = 64;
    private const byte RenameInformationEx = 65;
    private const ushort Wildcard = 0x02FF;

    private void OnSmb2Message(SessionContext context, FlowDirection direction, Side side, in Smb2Header header, ReadOnlySpan<byte> message, int length)
    {
        _version = 2;
        _client = header.IsResponse ? (FlowDirection)(1 - (int)direction) : direction;
        if (header.IsResponse)
            OnSmb2Response(context, header, message, length);
        else
            OnSmb2Request(context, direction, side, header, message, length);
    }

    private void OnSmb2Request(SessionContext context, FlowDirection client, Side side, in Smb2Header header, ReadOnlySpan<byte> message, int length)
    {
        // CANCEL and the acknowledgement of an oplock break have no response of their own (3.2.4.24).
        if (header.Command == Smb2Command.Cancel)
            return;
        context.Flow.Counters.Requests++;
        var treeId = header.IsRelated && header.TreeId == uint.MaxValue ? side.PreviousTree : header.TreeId;
        side.PreviousTree = treeId;
        ref var request = ref _tables.Ask(header.MessageId, (byte)header.Command, context.TimeNs, treeId, length);
        var isWhole = true;
        switch (header.Command)
        {
            case Smb2Command.Negotiate:
                isWhole = Smb2Bodies.TryReadNegotiateRequest(message, out var mode, out var dialects);
                _clientRequiresSigning = (mode & 2) != 0;
                _dialects = JoinDialects(context, dialects);
                break;
            case Smb2Command.SessionSetup:
                isWhole = Smb2Bodies.TryReadSessionSetupRequest(message, out _, out var token);
                if (isWhole)
                    OnToken(context, token, isServer: false);
                break;
            case Smb2Command.TreeConnect:
                isWhole = Smb2Bodies.TryReadTreeConnectRequest(message, out var path);
                request.Name = SmbText.Of(context, path, isUnicode: true, afterLast: '\\');
                break;
            case Smb2Command.TreeDisconnect:
                Disconnected(context, treeId);
                break;
            case Smb2Command.Create:
                isWhole = OnCreate(context, side, ref request, message);
                break;
            case Smb2Command.Close:
                isWhole = Smb2Bodies.TryReadFileAt8(message, out var closed);
                _tables.Close(FileOf(side, closed));
                break;
            case Smb2Command.Read:
                isWhole = Smb2Bodies.TryReadReadRequest(message, out _, out var read);
                if (!isWhole || IsPipe(FileOf(side, read)))
                    break;
                Counting(context, treeId).Counts.Reads++;
                break;
            case Smb2Command.Write:
                isWhole = OnWrite(context, client, side, treeId, message);
                break;
            case Smb2Command.Ioctl:
                isWhole = Smb2Bodies.TryReadIoctlRequest(message, out var code, out var file, out var input);
                if (!isWhole || code != PipeTransceive)
                    break;
                ref var pipe = ref _tables.Find(FileOf(side, file), out var isOpen);
                if (isOpen)
                    OnPipe(context, client, ref pipe, input);
                break;
            case Smb2Command.QueryDirectory:
                Counting(context, treeId).Counts.DirectoryQueries++;
                break;
            case Smb2Command.SetInfo:
                isWhole = OnSetInfo(context, side, treeId, message);
                break;
        }

        if (!isWhole)
            Fail(context, client, FaultKind.Truncated, "short_request");
    }

    private bool OnCreate(SessionContext context, Side side, ref SmbRequest request, ReadOnlySpan<byte> message)
    {
        if (!Smb2Bodies.TryReadCreateRequest(message, out _, out var options, out var name))
            return false;
        const uint DeleteOnClose = 0x1000;
        request.DeletesOnClose = (options & DeleteOnClose) != 0;
        if (IsPipeTree(request.TreeId))
        {
            request.Name = SmbText.Of(context, name, isUnicode: true, afterLast: '\\');
            return true;
        }

        Span<byte> shape = stackalloc byte[16];
        FileShape.Extension(name, isUnicode: true, shape, out _, out request.Extension);
        Counting(context, request.TreeId).Counts.Opens++;
        side.PreviousFile = new Smb2FileId(ulong.MaxValue, request.Extension);
        return true;
    }

    private bool OnWrite(SessionContext context, FlowDirection client, Side side, uint treeId, ReadOnlySpan<byte> message)
    {
        if (!Smb2Bodies.TryReadWriteRequest(message, out var length, out var offset, out var id, out var data))
            return false;
        ref var handle = ref _tables.Find(FileOf(side, id), out var found);
        if (found && handle.Pipe is not null)
        {
            OnPipe(context, client, ref handle, data);
            return true;
        }

        if (!IsPipeTree(treeId))
            CountWrite(context, ref Counting(context, treeId), data[..Math.Min(data.Length, SampleBytes)], length, isStart: offset == 0);
        return true;
    }

    private bool OnSetInfo(SessionContext context, Side side, uint treeId, ReadOnlySpan<byte> message)
    {
        if (!Smb2Bodies.TryReadSetInfoRequest(message, out var type, out var infoClass, out var id, out var buffer))
            return false;
        if (type != FileInformation)
            return true;
        switch (infoClass)
        {
            case RenameInformation or RenameInformationEx:
                ref var handle = ref _tables.Find(FileOf(side, id), out var found);
                var old = found ? handle.Extension : (uint)side.PreviousFile.Volatile;
                CountRename(context, ref Counting(context, treeId), old, found || id.IsOfPrevious, Smb2Bodies.RenameTarget(buffer), isUnicode: true);
                break;
            case DispositionInformation or DispositionInformationEx when !buffer.IsEmpty && (buffer[0] & 1) != 0:
                Counting(context, treeId).Counts.Deletes++;
                break;
        }

        return true;
    }

    private void OnSmb2Response(SessionContext context, in Smb2Header header, ReadOnlySpan<byte> message, int length)
    {
        ref var request = ref _tables.Answer(header.MessageId, (byte)header.Command, out var found);
        if (header.Status == NtStatus.Pending && header.IsAsync)
        {
            // 3.3.4.2: an interim response; the final one comes with the same message id.
            context.Flow.Counters.Interim++;
            if (found)
                request.IsInterim = true;
            return;
        }

        ref var counters = ref context.Flow.Counters;
        counters.Responses++;
        var failed = NtStatus.IsFailure(header.Status);
        if (failed)
            counters.Failures++;
        var duration = found ? context.TimeNs - request.TimeNs : 0;
        var treeId = found ? request.TreeId : header.TreeId;
        var bytes = length + (found ? request.Bytes : 0);
        switch (header.Command)
        {
            case Smb2Command.Negotiate:
                if (!failed && Smb2Bodies.TryReadNegotiateResponse(message, out var mode, out var dialect, out var capabilities, out var hint) && dialect != Wildcard)
                {
                    // The hint lists mechanisms only; it can't be a challenge yet.
                    _ = hint;
                    Negotiated(context, _client, NameOfDialect(dialect), (mode & 2) != 0, (capabilities & 0x40) != 0 || dialect == 0x0311, duration, bytes);
                }

                break;
            case Smb2Command.SessionSetup:
                ushort flags = 0;
                if (!failed && Smb2Bodies.TryReadSessionSetupResponse(message, out flags, out var token))
                    OnToken(context, token, isServer: true);
                if (header.Status != NtStatus.MoreProcessingRequired)
                    LoggedOn(context, _client, header.Status, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0, bytes);
                break;
            case Smb2Command.TreeConnect:
                byte kind = 0;
                uint shareFlags = 0;
                if (!failed)
                    Smb2Bodies.TryReadTreeConnectResponse(message, out kind, out shareFlags);
                Connected(context, _client, header.TreeId, found ? request.Name : null, kind <= 3 ? (SmbShareKind)kind : SmbShareKind.Unknown,
                    (shareFlags & 0x8000) != 0, header.Status, duration, bytes);
                break;
            case Smb2Command.Create:
                OnCreated(context, header, found, request, message, failed);
                break;
            case Smb2Command.Read when !failed && !IsPipeTree(treeId):
                if (Smb2Bodies.TryReadReadResponse(message, out var read, out _))
                {
                    Counting(context, treeId).Counts.ReadBytes += read;
                    counters.ObjectBytes += read;
                }

                break;
            case Smb2Command.Read or Smb2Command.Write or Smb2Command.SetInfo when failed && !IsPipeTree(treeId):
                Counting(context, treeId).Counts.Failures++;
                break;
        }

        if (found)
            request = default;
    }

    private void OnCreated(SessionContext context, in Smb2Header header, bool found, in SmbRequest request, ReadOnlySpan<byte> message, bool failed)
    {
        if (!found)
            return;
        if (failed)
        {
            if (!IsPipeTree(request.TreeId))
                Counting(context, request.TreeId).Counts.Failures++;
            return;
        }

        if (!Smb2Bodies.TryReadCreateResponse(message, out var action, out var file))
            return;
        if (request.Name is not null)
        {
            _tables.Open(new SmbHandle { Id = file, Pipe = request.Name });
            return;
        }

        context.Flow.Counters.Objects++;
        _tables.Open(new SmbHandle { Id = file, Extension = request.Extension });
        ref var counts = ref Counting(context, request.TreeId).Counts;

        // CreateAction: 0 superseded, 2 created, 3 overwritten (2.2.14).
        if (action is 0 or 2 or 3)
            counts.Created++;
        if (request.DeletesOnClose)
            counts.Deletes++;
    }

    private static Smb2FileId FileOf(Side side, in Smb2FileId id) => id.IsOfPrevious ? side.PreviousFile : id;

    private bool IsPipe(in Smb2FileId id)
    {
        ref var handle = ref _tables.Find(id, out var found);
        return found && handle.Pipe is not null;
    }

    private bool IsPipeTree(uint treeId)
    {
        var place = _tables.PlaceOf(treeId, make: false, out _);
        return place >= 0 && _tables.Tree(place).Kind == SmbShareKind.Pipe;
    }

    /// <summary>Name of a dialect revision (MS-SMB2 2.2.4); null for one that is unknown.</summary>
    private static string? NameOfDialect(ushort dialect) => dialect switch
    {
        0x0202 => "2.0.2",
        0x0210 => "2.1",
        Wildcard => "2.*",
        0x0300 => "3.0",
        0x0302 => "3.0.2",
        0x0311 => "3.1.1",
        _ => null,
    };

    private static string? JoinDialects(SessionContext context, ReadOnlySpan<byte> dialects)
    {
        Span<byte> text = stackalloc byte[TextInterner.MaximumTextBytes];
        var length = 0;
        for (; dialects.Length >= 2; dialects = dialects[2..])
        {
            if (NameOfDialect(BinaryPrimitives.ReadUInt16LittleEndian(dialects)) is not { } name || length + name.Length + 1 > text.Length)
                continue;
            if (length > 0)
                text[length++] = (byte)',';
            foreach (var c in name)
                text[length++] = (byte)c;
        }

        return context.Texts.Of(text[..length]);
    }
}
