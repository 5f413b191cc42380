using System.Buffers;
using IoTGuard.Analysis;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Benchmarks.Inputs;
using IoTGuard.Outputs;

namespace IoTGuard.Benchmarks.Stages;

/// <summary>Transactions of a C-STORE, a C-FIND and an HL7 message as JSON lines.</summary>
internal sealed class TransactionJsonStage : Stage
{
    /// <summary>Transactions written in one run, at least.</summary>
    public const int Transactions = 256;

    private readonly TransactionJson _json = new(withPseudonyms: true);
    private readonly ArrayBufferWriter<byte> _buffer = new(1 << 20);
    private readonly Transaction[] _transactions;

    public TransactionJsonStage()
    {
        _transactions = [.. Emitted(new DicomSession(), 104, DicomTurns.Association, DicomTurns.Store), .. Emitted(new DicomSession(), 104, DicomTurns.Association, DicomTurns.Find), .. Emitted(new Hl7Session(), 2575, [], Hl7Turns.Admit)];
    }

    public override string Name => "transaction-json";

    public override string Unit => "transaction";

    public override int Operations => Transactions;

    public override void Run()
    {
        _buffer.ResetWrittenCount();
        for (var i = 0; i < Transactions; i++)
            _json.Write(_buffer, _transactions[i % _transactions.Length]);
    }

    private static List<Transaction> Emitted(StreamSession session, ushort port, Turn[] opening, Turn[] turns)
    {
        var player = new SessionPlayer(session, port);
        player.Play(opening);
        player.Play(turns);
        var transactions = new List<Transaction>();
        foreach (ref readonly var e in player.Output.Events)
        {
            if (e.Kind == SensorEventKind.Transaction)
                transactions.Add(player.Output.Transaction(e.Index));
        }

        return transactions;
    }
}
