using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.TestSupport;

namespace IoTGuard.Analysis.Tests.Sessions;

/// <summary>
/// What every session keeps, whatever it reads: the same events however the bytes are cut, no exception and no endless wait for damaged or missing
/// bytes, bounded events, and no allocation once warm.
/// </summary>
internal static class SessionContract
{
    /// <summary>Bytes of a conversation beyond which not every place of a cut is tried, but this many evenly spread ones.</summary>
    private const int MostPlaces = 1200;

    /// <summary>Holds a session to all of it. Returns what the whole conversation emitted.</summary>
    /// <param name="create">Makes a session.</param>
    /// <param name="turns">A conversation that the session reads without a fault.</param>
    /// <param name="serverPort">Port of the responder.</param>
    /// <param name="allocates">True when the conversation holds texts that no run shares with the one before.</param>
    public static List<string> Holds(Func<ProtocolSession> create, IReadOnlyList<Turn> turns, ushort serverPort = 0, bool allocates = false)
    {
        var whole = Whole(create, turns, serverPort);
        if (create() is StreamSession)
        {
            Assert.Equal(whole, InPieces(create, turns, serverPort, 1));
            Assert.Equal(whole, InPieces(create, turns, serverPort, 7));
            SplitAnywhere(create, turns, serverPort, whole);
            GapsAnywhere(create, turns, serverPort);
        }

        TruncationAnywhere(create, turns, serverPort);
        Mutations(create, turns, serverPort);
        if (!allocates)
            AllocatesNothing(create, turns, serverPort);
        return whole;
    }

    public static List<string> Whole(Func<ProtocolSession> create, IReadOnlyList<Turn> turns, ushort serverPort = 0) =>
        new SessionPlayer(create(), serverPort).Play(turns).End().Log;

    /// <summary>After a warm-up, conversations through the same session allocate nothing.</summary>
    public static void AllocatesNothing(Func<ProtocolSession> create, IReadOnlyList<Turn> turns, ushort serverPort = 0)
    {
        var player = new SessionPlayer(create(), serverPort) { Writes = false };
        for (var i = 0; i < 50; i++)
            Once();

        Assert.Equal(0, Allocations.Of(() =>
        {
            for (var i = 0; i < 50; i++)
                Once();
        }));

        void Once()
        {
            player.Restart();
            for (var i = 0; i < turns.Count; i++)
                player.Send(turns[i]);
            player.End();
        }
    }

    private static List<string> InPieces(Func<ProtocolSession> create, IReadOnlyList<Turn> turns, ushort serverPort, int size) =>
        new SessionPlayer(create(), serverPort).Play(turns.SelectMany(t => t.Bytes.Chunk(size).Select(piece => t with { Bytes = piece }))).End().Log;

    private static void SplitAnywhere(Func<ProtocolSession> create, IReadOnlyList<Turn> turns, ushort serverPort, List<string> whole)
    {
        foreach (var (turn, at) in Places(turns))
        {
            var player = new SessionPlayer(create(), serverPort);
            for (var i = 0; i < turns.Count; i++)
            {
                if (i != turn)
                {
                    player.Send(turns[i]);
                    continue;
                }

                player.Send(turns[i] with { Bytes = turns[i].Bytes[..at] });
                player.Send(turns[i] with { Bytes = turns[i].Bytes[at..] });
            }

            player.End();
            Assert.True(whole.SequenceEqual(player.Log), $"split in turn {turn} at {at}:\n{string.Join('\n', player.Log)}\nwhole:\n{string.Join('\n', whole)}");
        }
    }

    private static void TruncationAnywhere(Func<ProtocolSession> create, IReadOnlyList<Turn> turns, ushort serverPort)
    {
        foreach (var (turn, at) in Places(turns))
        {
            var player = new SessionPlayer(create(), serverPort);
            player.Play(turns.Take(turn));
            player.Send(turns[turn] with { Bytes = turns[turn].Bytes[..at] });
            player.End(FlowEndReason.Evicted);
            AssertBounded(player, turns);
        }
    }

    private static void GapsAnywhere(Func<ProtocolSession> create, IReadOnlyList<Turn> turns, ushort serverPort)
    {
        foreach (var (turn, at) in Places(turns))
        {
            var player = new SessionPlayer(create(), serverPort);
            for (var i = 0; i < turns.Count; i++)
            {
                if (i != turn)
                {
                    player.Send(turns[i]);
                    continue;
                }

                var missing = Math.Min(1 + (at % 40), turns[i].Bytes.Length - at);
                player.Send(turns[i] with { Bytes = turns[i].Bytes[..at] });
                player.Gap(turns[i].Direction, missing);
                player.Send(turns[i] with { Bytes = turns[i].Bytes[(at + missing)..] });
            }

            player.End();
            AssertBounded(player, turns);
        }
    }

    private static void Mutations(Func<ProtocolSession> create, IReadOnlyList<Turn> turns, ushort serverPort)
    {
        var random = new Random(20261122);
        byte[] telling = [0, 1, 2, 3, 0x7F, 0x80, 0xFE, 0xFF, (byte)'\r', (byte)'\n', (byte)' '];
        for (var round = 0; round < 600; round++)
        {
            var player = new SessionPlayer(create(), serverPort);
            foreach (var turn in turns)
            {
                var bytes = turn.Bytes.ToList();
                for (var changes = random.Next(4); changes > 0 && bytes.Count > 0; changes--)
                {
                    var at = random.Next(bytes.Count);
                    switch (random.Next(5))
                    {
                        case 0:
                            bytes[at] ^= (byte)(1 << random.Next(8));
                            break;
                        case 1:
                            bytes[at] = telling[random.Next(telling.Length)];
                            break;
                        case 2:
                            bytes.RemoveRange(at, random.Next(bytes.Count - at));
                            break;
                        case 3:
                            bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(64), bytes.Count - at)));
                            break;
                        default:
                            bytes[at] = (byte)random.Next(256);
                            break;
                    }
                }

                if (round % 3 == 0)
                    player.Play(bytes.Chunk(1 + random.Next(200)).Select(piece => turn with { Bytes = piece }));
                else
                    player.Send(turn with { Bytes = [.. bytes] });
            }

            player.End();
            AssertBounded(player, turns);
        }
    }

    /// <summary>No more events than one for every four bytes, and some.</summary>
    private static void AssertBounded(SessionPlayer player, IReadOnlyList<Turn> turns) =>
        Assert.InRange(player.Events, 0, 16 + (turns.Sum(t => t.Bytes.Length) / 4));

    private static IEnumerable<(int Turn, int At)> Places(IReadOnlyList<Turn> turns)
    {
        var step = Math.Max(1, turns.Sum(t => t.Bytes.Length) / MostPlaces);
        for (var turn = 0; turn < turns.Count; turn++)
        {
            for (var at = turn % step; at < turns[turn].Bytes.Length; at += step)
                yield return (turn, at);
        }
    }
}
