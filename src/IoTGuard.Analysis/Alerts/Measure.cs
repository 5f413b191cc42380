using System.Globalization;

namespace IoTGuard.Analysis.Alerts;

/// <summary>One measure of an open alert: a number, a text, or a list of different texts. Becomes an <see cref="Evidence"/>.</summary>
internal sealed class Measure(string name, string unit)
{
    /// <summary>Most different texts kept; more are only said to exist.</summary>
    public const int MaximumItems = 8;

    private readonly List<string> _items = [];
    private bool _more;

    public string Name { get; } = name;

    public string Unit { get; } = unit;

    public double Number { get; private set; }

    public string? Normal { get; set; }

    public void Set(double number) => Number = number;

    public void Set(string text)
    {
        _items.Clear();
        _items.Add(text);
    }

    public void Include(string text)
    {
        if (_items.Contains(text))
            return;
        if (_items.Count == MaximumItems)
            _more = true;
        else
            _items.Add(text);
    }

    public string Observed => _items.Count == 0 ? Format(Number) : string.Join(", ", _items) + (_more ? " and more" : "");

    public static string Format(double number) =>
        number == Math.Floor(number) && Math.Abs(number) < 1e15
            ? ((long)number).ToString(CultureInfo.InvariantCulture)
            : number.ToString(Math.Abs(number) < 0.001 ? "0.##e0" : "0.###", CultureInfo.InvariantCulture);
}
