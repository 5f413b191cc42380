namespace IoTGuard.Learning.Tests.Oracles;

/// <summary>An AUROC that others published, in percent.</summary>
/// <param name="Table">One of <see cref="Tables"/>.</param>
/// <param name="Engine">Our engine of the same kind.</param>
/// <param name="Source">Key of its source.</param>
/// <param name="AreaUnderRoc">As published.</param>
internal sealed record Published(string Table, string Engine, string Source, double AreaUnderRoc)
{
    /// <summary>Where they come from, and how they were measured.</summary>
    public static IReadOnlyList<(string Key, string Text)> Sources { get; } =
    [
        ("A", "Han, Hu, Huang, Jiang and Zhao, *ADBench*, NeurIPS 2022, AUROC of the unsupervised detectors: trained on 70 % of all rows, anomalies among them, tested on the rest; mean over three seeds"),
        ("D", "Livernoche, Jain, Hezaveh and Ravanbakhsh, *On Diffusion Modeling for Anomaly Detection*, ICLR 2024: trained on one half of the normal rows, tested on the other half and all anomalies, as here; mean over five seeds"),
        ("L", "Liu, Ting and Zhou, *Isolation Forest*, ICDM 2008, table of AUC: trained and tested on all rows, anomalies among them"),
        ("P", "Zhao, Nasrullah and Li, *PyOD*, JMLR 2019, the benchmark of its documentation (`docs/tables/roc.csv`): trained on 60 % of all rows, anomalies among them, tested on the rest; mean over ten splits"),
        ("S", "scikit-learn on the 21 network columns, trained on normal rows only, as the note beside the tables has it"),
    ];

    public static IReadOnlyList<Published> All { get; } =
    [
        new("annthyroid", "iforest", "L", 82), new("mammography", "iforest", "L", 86), new("satellite", "iforest", "L", 71),
        new("shuttle", "iforest", "L", 100), new("smtp", "iforest", "L", 88),
        new("cardio", "iforest", "D", 93.3), new("cardio", "pca", "D", 96.5),
        new("smtp", "iforest", "D", 90.4), new("smtp", "pca", "D", 81.8),
        new("cardio", "iforest", "P", 92.4), new("cardio", "hbos", "P", 84.3), new("cardio", "pca", "P", 95.3),
        new("satellite", "iforest", "P", 70.1), new("satellite", "hbos", "P", 75.4), new("satellite", "pca", "P", 59.6),
        new("shuttle", "iforest", "P", 99.7), new("shuttle", "hbos", "P", 98.6), new("shuttle", "pca", "P", 99.0),
        new("annthyroid", "iforest", "A", 82.0), new("annthyroid", "hbos", "A", 60.2), new("annthyroid", "ecod", "A", 78.0), new("annthyroid", "pca", "A", 66.3),
        new("cardio", "iforest", "A", 93.2), new("cardio", "hbos", "A", 84.7), new("cardio", "ecod", "A", 94.4), new("cardio", "pca", "A", 95.6),
        new("mammography", "iforest", "A", 86.4), new("mammography", "hbos", "A", 86.3), new("mammography", "ecod", "A", 90.8), new("mammography", "pca", "A", 88.7),
        new("satellite", "iforest", "A", 70.4), new("satellite", "hbos", "A", 74.8), new("satellite", "ecod", "A", 75.1), new("satellite", "pca", "A", 59.6),
        new("shuttle", "iforest", "A", 99.6), new("shuttle", "hbos", "A", 98.6), new("shuttle", "ecod", "A", 99.4), new("shuttle", "pca", "A", 98.6),
        new("smtp", "iforest", "A", 89.7), new("smtp", "hbos", "A", 70.5), new("smtp", "ecod", "A", 71.9), new("smtp", "pca", "A", 88.4),
        new("wustl-ehms-2020", "iforest", "S", 70.0), new("wustl-ehms-2020", "pca", "S", 72.2),
    ];

    /// <summary>The figure of those who trained on normal rows only; null when none is known.</summary>
    public static double? OnNormalRows(string table, string engine) => All.FirstOrDefault(p => p.Table == table && p.Engine == engine && p.Source is "D" or "S")?.AreaUnderRoc;

    /// <summary>What was published about an engine on a table, such as "93.3 [D], 92.4 [P]"; "none known".</summary>
    public static string Of(string table, string engine) =>
        All.Where(p => p.Table == table && p.Engine == engine).Select(p => FormattableString.Invariant($"{p.AreaUnderRoc:0.#} [{p.Source}]")).ToList() is { Count: > 0 } figures
            ? string.Join(", ", figures)
            : "none known";
}
