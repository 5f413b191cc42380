using IoTGuard.Analysis.Rules;

namespace IoTGuard.Analysis.Tests.Rules;

public sealed class ControlIdMemoryTests
{
    private const int Capacity = 1024;

    [Theory]
    [InlineData(1, 4000)]
    [InlineData(2, 1500)]
    [InlineData(3, 100)]
    public void RemembersTheNewestAsATableAndAQueueDo(int seed, int different)
    {
        var random = new Random(seed);
        var memory = new ControlIdMemory(Capacity);
        var table = new Dictionary<ulong, (long TimeNs, ushort Port)>();
        var order = new Queue<ulong>();
        for (var i = 0; i < 20_000; i++)
        {
            // Ids of which many share their low bits.
            var id = (ulong)random.Next(different) << (random.Next(2) * 40);
            var known = table.TryGetValue(id, out var expected);
            Assert.Equal(known, memory.TryGet(id, out var timeNs, out var port));
            Assert.Equal(expected, (timeNs, port));
            if (known)
                continue;
            if (table.Count == Capacity)
                table.Remove(order.Dequeue());
            table.Add(id, (i, (ushort)i));
            order.Enqueue(id);
            memory.Add(id, i, (ushort)i);
        }
    }
}
