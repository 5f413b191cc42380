using IoTGuard.Analysis.Sessions;
using IoTGuard.Benchmarks.Inputs;

namespace IoTGuard.Benchmarks.Stages;

/// <summary>A connection more at the same time than there ever were: what its session allocates for itself and for the first it hears. Memory for many connections hangs on it.</summary>
internal sealed class NewSessionStage(string name, Func<StreamSession> create, Turn[] turns) : Stage
{
    private readonly SessionPlayer _player = new(create(), port: 1);

    public override string Name => name;

    public override string Unit => turns.Length == 0 ? "connection, before its first byte" : "connection, begun";

    public override int Operations => SessionStage.Conversations;

    public static IEnumerable<Func<Stage>> Protocols { get; } =
    [
        () => new NewSessionStage("new-dicom", static () => new DicomSession(), DicomTurns.Association),
        () => new NewSessionStage("new-hl7", static () => new Hl7Session(), Hl7Turns.Admit),
        () => new NewSessionStage("new-http", static () => new HttpSession(), []),
        () => new NewSessionStage("new-tls", static () => new TlsSession(), []),
        () => new NewSessionStage("new-smb", static () => new SmbSession(), []),
    ];

    public override void Run()
    {
        for (var i = 0; i < Operations; i++)
        {
            _player.Begin(create());
            _player.Play(turns);
        }
    }
}
