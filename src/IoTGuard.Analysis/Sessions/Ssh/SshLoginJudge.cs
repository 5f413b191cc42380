namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// Infers log-ins from the sizes of what the server says in turn after the key exchange (RFC 4252). What it says before the client asks is
/// SSH_MSG_EXT_INFO (RFC 8308). Its first answer accepts the service; the next refuses the client's first request ("none", which asks what there
/// is) and gives the size of a refusal. Every further turn of that size is a refusal; a smaller one is SSH_MSG_USERAUTH_SUCCESS, the shortest
/// message there is; greater ones are questions. Padding makes sizes repeat exactly.
/// A client that asks for the service and sends "none" at once (Dropbear's) gets both answers in the first turn; then the second one is of the
/// size of a refusal already when it is about as large as what is left of the first. A client that begins with a password is counted one refusal too few.
/// </summary>
internal struct SshLoginJudge
{
    /// <summary>Turns of the server after which nothing more is inferred.</summary>
    public const int MaximumTurns = 64;

    /// <summary>No packet is smaller: four bytes of length, eight of contents, sixteen of authentication.</summary>
    private const int SmallestPacket = 28;

    private int _turns;
    private long _first;
    private long _refusal;
    private long _turn;
    private bool _serverSpeaks;
    private bool _clientSpoke;

    /// <summary>Refused log-ins, that of "none" left out.</summary>
    public int Refusals { get; private set; }

    public LoginResult Result { get; private set; }

    /// <summary>True when nothing more can be learned.</summary>
    public readonly bool IsDone => Result == LoginResult.Succeeded || _turns > MaximumTurns;

    /// <summary>Encrypted bytes of one side.</summary>
    public void Add(bool byServer, long bytes)
    {
        if (byServer != _serverSpeaks)
            EndTurn();
        _serverSpeaks = byServer;
        _clientSpoke |= !byServer;
        _turn += bytes;
    }

    /// <summary>The connection ended.</summary>
    public void End()
    {
        EndTurn();
        if (Result == LoginResult.Unknown && Refusals > 0)
            Result = LoginResult.Failed;
    }

    private void EndTurn()
    {
        var size = _turn;
        _turn = 0;
        if (!_serverSpeaks || !_clientSpoke || size == 0 || IsDone)
            return;
        _turns++;
        if (_turns == 1)
            _first = size;
        else if (_turns == 2)
            OnSecond(size);
        else if (size == _refusal)
            Refusals++;
        else if (size < _refusal && size >= SmallestPacket)
            Result = LoginResult.Succeeded;
    }

    private void OnSecond(long size)
    {
        // A refusal has at least 14 bytes of payload, the acceptance of the service 17; padding is to 8 or 16 bytes.
        const int padding = 8;
        _refusal = size;
        if (_first > size && size >= _first - size - padding)
            Refusals++;
    }
}
