using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Dicom;
using IoTGuard.Wire.Application.Files;
using IoTGuard.Wire.Application.Smb;

namespace IoTGuard.Analysis.Sessions;

public sealed partial class SmbSession
{
    // With 256 bytes even random ones show 7.2 bits each, text and tables 3 to 6.
    private const float RandomBitsPerByte = 6.9f;

    private int _version;

    /// <summary>The tree's entry, ready to be counted in.</summary>
    private ref SmbTree TreeOf(SessionContext context, uint treeId)
    {
        var place = _tables.PlaceOf(treeId, make: true, out var isReused);
        ref var tree = ref _tables.Tree(place);
        if (isReused)
        {
            Report(context, ref tree);
            tree = default;
        }

        if (!tree.IsUsed)
            tree = new SmbTree { Id = treeId, IsUsed = true, IsOpen = true };

        if (tree.SinceNs != 0 && (context.TimeNs - tree.SinceNs >= FilesIntervalNs || tree.Counts.Operations >= MaximumOperationsPerReport))
            Report(context, ref tree);
        return ref tree;
    }

    /// <summary>The same, with its interval opened or extended.</summary>
    private ref SmbTree Counting(SessionContext context, uint treeId)
    {
        ref var tree = ref TreeOf(context, treeId);
        if (tree.SinceNs == 0)
            tree.SinceNs = context.TimeNs;
        tree.LastNs = context.TimeNs;
        return ref tree;
    }

    /// <summary>Tells what was done in a share, if anything, and begins anew.</summary>
    private void Report(SessionContext context, ref SmbTree tree)
    {
        if (tree.SinceNs == 0)
            return;
        if (tree.Counts.Operations + tree.Counts.Failures > 0)
        {
            var report = context.Begin<SmbTransaction>(_client);
            report.Event = SmbEvent.Files;
            report.Version = _version;
            report.TimeNs = tree.SinceNs;
            report.Share = tree.Share;
            report.ShareKind = tree.Kind;
            report.IsAdministrative = tree.IsAdministrative;
            report.NewExtension = tree.NewExtension;
            report.Files = tree.Counts with { IntervalNs = tree.LastNs - tree.SinceNs };
            report.Bytes = tree.Counts.ReadBytes + tree.Counts.WrittenBytes;
            context.Emit(report);
        }

        tree.SinceNs = 0;
        tree.Counts = default;
        tree.NewExtension = null;
    }

    private static void CountWrite(SessionContext context, ref SmbTree tree, ReadOnlySpan<byte> data, long length, bool isStart)
    {
        ref var counts = ref tree.Counts;
        counts.Writes++;
        counts.WrittenBytes += length;
        context.Flow.Counters.ObjectBytes += length;
        if (data.Length >= SampleBytes)
        {
            counts.SampledWrites++;
            if (PayloadSample.Measure(data).Entropy >= RandomBitsPerByte)
                counts.RandomWrites++;
        }

        if (!isStart)
            return;
        var kind = FileKinds.Of(data);
        if (kind == FileKind.Dicom)
        {
            counts.DicomFiles++;
            if (Part10File.IsExecutable(Part10File.PreambleOf(data)))
                counts.DicomExecutables++;
        }
        else if (FileKinds.IsExecutable(kind))
        {
            counts.Executables++;
        }
    }

    private static void CountRename(SessionContext context, ref SmbTree tree, uint oldExtension, bool isOldKnown, ReadOnlySpan<byte> target, bool isUnicode)
    {
        ref var counts = ref tree.Counts;
        counts.Renames++;
        Span<byte> shape = stackalloc byte[16];
        var length = FileShape.Extension(target, isUnicode, shape, out var isUsual, out var hash);
        if (!isOldKnown || hash == oldExtension)
            return;
        counts.ExtensionChanges++;
        if (!isUsual)
            counts.StrangeExtensions++;
        tree.NewExtension = context.Texts.Of(shape[..length]);
    }

    private void Connected(SessionContext context, FlowDirection client, uint treeId, string? share, SmbShareKind kind, bool encrypts, uint status, long durationNs, int bytes)
    {
        var isAdministrative = SmbText.IsAdministrative(share);
        if (!NtStatus.IsFailure(status))
        {
            var known = share is null ? -1 : _tables.PlaceOf(share);
            ref var tree = ref _tables.Tree(known >= 0 ? known : _tables.PlaceOf(treeId, make: true, out _));
            if (known < 0)
            {
                Report(context, ref tree);
                tree = new SmbTree { IsUsed = true, Share = share, Kind = kind, IsAdministrative = isAdministrative };
            }

            tree.Id = treeId;
            tree.IsOpen = true;
        }

        var transaction = context.Begin<SmbTransaction>(client);
        transaction.Event = SmbEvent.Tree;
        transaction.Version = _version;
        transaction.TimeNs = context.TimeNs - durationNs;
        transaction.DurationNs = durationNs;
        transaction.Bytes = bytes;
        transaction.Share = share;
        transaction.ShareKind = kind;
        transaction.IsAdministrative = isAdministrative;
        transaction.Encryption = encrypts;
        transaction.Status = status;
        context.Emit(transaction);
    }

    private void Disconnected(SessionContext context, uint treeId)
    {
        var place = _tables.PlaceOf(treeId, make: false, out _);
        if (place < 0)
            return;
        ref var tree = ref _tables.Tree(place);
        tree.IsOpen = false;
        if (tree.Share is null || tree.SinceNs == 0)
        {
            Report(context, ref tree);
            tree = default;
        }
    }
}
