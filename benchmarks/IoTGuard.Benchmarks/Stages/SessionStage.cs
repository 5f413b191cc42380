using IoTGuard.Analysis.Sessions;
using IoTGuard.Benchmarks.Inputs;

namespace IoTGuard.Benchmarks.Stages;

/// <summary>A session that is shown the same conversation again and again on one connection.</summary>
internal sealed class SessionStage : Stage
{
    /// <summary>Conversations in one run.</summary>
    public const int Conversations = 16;

    private readonly SessionPlayer _player;
    private readonly Turn[] _turns;

    private SessionStage(string name, string unit, StreamSession session, ushort port, Turn[] opening, Turn[] turns)
    {
        Name = name;
        Unit = unit;
        _player = new SessionPlayer(session, port);
        _turns = turns;
        _player.Play(opening);
        _player.Play(turns);
        if (_player.Output.Events.Length == 0)
            throw new InvalidOperationException($"{name}: the session saw nothing in its input");
    }

    public override string Name { get; }

    public override string Unit { get; }

    public override int Operations => Conversations;

    /// <summary>A CT image of half a megabyte.</summary>
    public static SessionStage DicomStore() => new("dicom-store", "object of 512 KiB", new DicomSession(), 104, DicomTurns.Association, DicomTurns.Store);

    /// <summary>A query with ten answers.</summary>
    public static SessionStage DicomFind() => new("dicom-find", "query, 10 answers", new DicomSession(), 104, DicomTurns.Association, DicomTurns.Find);

    /// <summary>An admission with its acknowledgement.</summary>
    public static SessionStage Hl7() => new("hl7", "message with ACK", new Hl7Session(), 2575, [], Hl7Turns.Admit);

    public override void Run()
    {
        for (var i = 0; i < Conversations; i++)
            _player.Play(_turns);
    }
}
