using IoTGuard.Wire.Application.Dcerpc;
using IoTGuard.Wire.Application.Smb;

namespace IoTGuard.Analysis.Sessions;

/// <summary>A share that the client is connected to, and what was done in it since the last report.</summary>
internal struct SmbTree
{
    public uint Id;
    public bool IsUsed;

    /// <summary>False after the disconnect: what was done is still to be told, and a new connection to the same share goes on here.</summary>
    public bool IsOpen;
    public string? Share;
    public SmbShareKind Kind;
    public bool IsAdministrative;

    /// <summary>Packet time of the first and last request counted, ns; 0 = none.</summary>
    public long SinceNs;
    public long LastNs;
    public SmbFileCounts Counts;

    /// <summary>Shape of the newest extension that a file was renamed to.</summary>
    public string? NewExtension;
}

/// <summary>A file or pipe that is open.</summary>
internal struct SmbHandle
{
    public Smb2FileId Id;
    public bool IsUsed;

    /// <summary>Name of the pipe; null for a file.</summary>
    public string? Pipe;

    /// <summary>Interface that the pipe was bound to.</summary>
    public DcerpcInterface? Interface;

    /// <summary>Hash of the file's extension, see <see cref="FileShape"/>.</summary>
    public uint Extension;
}

/// <summary>A request that waits for its response.</summary>
internal struct SmbRequest
{
    public ulong Id;
    public bool IsUsed;
    public byte Command;
    public bool IsInterim;
    public bool IsAnswered;

    /// <summary>True while its final response was not seen.</summary>
    public readonly bool IsWaiting => IsUsed && (!IsAnswered || IsInterim);
    public long TimeNs;
    public uint TreeId;

    /// <summary>Of CREATE: extension, pipe, and whether an existing file may be replaced; of TREE_CONNECT: the share.</summary>
    public uint Extension;
    public string? Name;
    public bool DeletesOnClose;

    /// <summary>Of SMB 1 transactions: the subcommand.</summary>
    public ushort Function;

    /// <summary>Bytes of the request.</summary>
    public int Bytes;
}

/// <summary>Tables of one connection, made small and grown as far as they are used. A full table forgets its oldest entry.</summary>
internal sealed class SmbTables
{
    /// <summary>Shares of a connection that are told apart.</summary>
    public const int MaximumTrees = 32;

    /// <summary>Files of a connection that are told apart.</summary>
    public const int MaximumHandles = 128;

    /// <summary>Requests that wait for their response; a power of two.</summary>
    public const int MaximumRequests = 128;

    // Powers of two, as the limits are.
    private SmbTree[] _trees = new SmbTree[1];
    private SmbHandle[] _handles = new SmbHandle[2];
    private SmbRequest[] _requests = new SmbRequest[4];
    private int _nextTree;
    private int _nextHandle;
    private int _treesUsed;
    private int _handlesUsed;

    /// <summary>The trees that were ever used.</summary>
    public Span<SmbTree> Trees => _trees.AsSpan(0, _treesUsed);

    public void Clear()
    {
        Array.Clear(_trees, 0, _treesUsed);
        Array.Clear(_handles, 0, _handlesUsed);
        Array.Clear(_requests);
        (_nextTree, _nextHandle, _treesUsed, _handlesUsed) = (0, 0, 0, 0);
    }

    /// <summary>Place of a tree in <see cref="Trees"/>, made when it is new and <paramref name="make"/>; -1 else. A place that is reused must be reported before.</summary>
    public int PlaceOf(uint treeId, bool make, out bool isReused)
    {
        isReused = false;
        for (var i = 0; i < _treesUsed; i++)
        {
            if (_trees[i].IsOpen && _trees[i].Id == treeId)
                return i;
        }

        if (!make)
            return -1;
        var place = _nextTree;
        if (place == _trees.Length)
            Array.Resize(ref _trees, 2 * place);
        _nextTree = (_nextTree + 1) % MaximumTrees;
        _treesUsed = Math.Max(_treesUsed, place + 1);
        isReused = _trees[place].IsUsed;
        return place;
    }

    /// <summary>Place of a share that was disconnected from; -1 when there is none.</summary>
    public int PlaceOf(string share)
    {
        for (var i = 0; i < _treesUsed; i++)
        {
            if (_trees[i].IsUsed && !_trees[i].IsOpen && _trees[i].Share == share)
                return i;
        }

        return -1;
    }

    public ref SmbTree Tree(int place) => ref _trees[place];

    public void Open(in SmbHandle handle)
    {
        if (_nextHandle == _handles.Length)
            Array.Resize(ref _handles, 2 * _nextHandle);
        _handles[_nextHandle] = handle;
        _handles[_nextHandle].IsUsed = true;
        _handlesUsed = Math.Max(_handlesUsed, _nextHandle + 1);
        _nextHandle = (_nextHandle + 1) % MaximumHandles;
    }

    /// <summary>An open file; <paramref name="found"/> is false when it is unknown.</summary>
    public ref SmbHandle Find(in Smb2FileId id, out bool found)
    {
        for (var i = 0; i < _handlesUsed; i++)
        {
            if (_handles[i].IsUsed && _handles[i].Id == id)
            {
                found = true;
                return ref _handles[i];
            }
        }

        found = false;
        return ref _handles[0];
    }

    public void Close(in Smb2FileId id)
    {
        ref var handle = ref Find(id, out var found);
        if (found)
            handle = default;
    }

    /// <summary>Keeps a request in the place of whichever had the same number modulo the table's size.</summary>
    public ref SmbRequest Ask(ulong id, byte command, long timeNs, uint treeId, int bytes)
    {
        while (_requests.Length < MaximumRequests && _requests[PlaceOf(id)].IsWaiting && _requests[PlaceOf(id)].Id != id)
            GrowRequests();
        ref var request = ref _requests[PlaceOf(id)];
        request = new SmbRequest { Id = id, IsUsed = true, Command = command, TimeNs = timeNs, TreeId = treeId, Bytes = bytes };
        return ref request;
    }

    /// <summary>The request that a response belongs to; <paramref name="found"/> is false when it is unknown.</summary>
    public ref SmbRequest Answer(ulong id, byte command, out bool found)
    {
        ref var request = ref _requests[PlaceOf(id)];
        found = request.IsUsed && request.Id == id && request.Command == command;
        request.IsAnswered |= found;
        return ref request;
    }

    private int PlaceOf(ulong id) => (int)(id ^ (id >> 6)) & (_requests.Length - 1);

    /// <summary>Requests on different places of a table have different places in one of twice the size.</summary>
    private void GrowRequests()
    {
        var old = _requests;
        _requests = new SmbRequest[2 * old.Length];
        foreach (ref readonly var request in old.AsSpan())
        {
            if (request.IsUsed)
                _requests[PlaceOf(request.Id)] = request;
        }
    }
}
