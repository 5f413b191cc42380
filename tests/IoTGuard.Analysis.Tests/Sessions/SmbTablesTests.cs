using IoTGuard.Analysis.Sessions;
using IoTGuard.TestSupport;
using IoTGuard.Wire.Application.Smb;

namespace IoTGuard.Analysis.Tests.Sessions;

public sealed class SmbTablesTests
{
    [Fact]
    public void As_many_requests_may_wait_as_the_table_holds()
    {
        var tables = new SmbTables();
        for (var id = 0; id < SmbTables.MaximumRequests; id++)
            tables.Ask((ulong)id, command: 5, timeNs: id, treeId: 1, bytes: 100 + id);
        for (var id = 0; id < SmbTables.MaximumRequests; id++)
        {
            ref var request = ref tables.Answer((ulong)id, command: 5, out var found);
            Assert.True(found);
            Assert.Equal(100 + id, request.Bytes);
        }
    }

    [Fact]
    public void Requests_that_were_answered_make_room_without_growth()
    {
        var tables = new SmbTables();
        Ask(tables, 0, 1000);
        var allocations = Allocations.Start();
        Ask(tables, 1000, 20_000);
        Assert.Equal(0, allocations.Bytes);
    }

    [Fact]
    public void Files_and_shares_beyond_the_first_are_found_again()
    {
        var tables = new SmbTables();
        for (var n = 0; n < SmbTables.MaximumHandles; n++)
            tables.Open(new SmbHandle { Id = new Smb2FileId((ulong)n, 7), Extension = (uint)n });
        for (var n = 0; n < SmbTables.MaximumHandles; n++)
            Assert.Equal((uint)n, tables.Find(new Smb2FileId((ulong)n, 7), out _).Extension);
        for (var n = 0u; n < SmbTables.MaximumTrees; n++)
            tables.Tree(tables.PlaceOf(n, make: true, out _)) = new SmbTree { Id = n, IsUsed = true, IsOpen = true };
        for (var n = 0u; n < SmbTables.MaximumTrees; n++)
            Assert.Equal(n, tables.Tree(tables.PlaceOf(n, make: false, out _)).Id);
        tables.PlaceOf(99, make: true, out var isReused);
        Assert.True(isReused);
    }

    private static void Ask(SmbTables tables, int from, int to)
    {
        for (var id = from; id < to; id++)
        {
            tables.Ask((ulong)id, command: 5, timeNs: id, treeId: 1, bytes: 0);
            tables.Answer((ulong)id, command: 5, out var found);
            Assert.True(found);
        }
    }
}
