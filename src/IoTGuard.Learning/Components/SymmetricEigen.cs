namespace IoTGuard.Learning;

/// <summary>Eigenvalues and eigenvectors of a symmetric matrix by Jacobi's rotations (Golub and Van Loan, 8.5): slow for large matrices, and exact to the last digits.</summary>
internal static class SymmetricEigen
{
    private const int MaxSweeps = 60;

    /// <param name="matrix">n × n, symmetric; it is changed.</param>
    /// <param name="n">Its size.</param>
    /// <returns>Eigenvalues, largest first, and for each its vector of length 1, one after the other; the largest component of each is positive.</returns>
    public static (double[] Values, double[] Vectors) Decompose(double[] matrix, int n)
    {
        // Row k of "vectors" becomes the eigenvector k, so that a rotation works along rows.
        var vectors = new double[n * n];
        for (var i = 0; i < n; i++)
            vectors[(i * n) + i] = 1;
        for (var sweep = 0; sweep < MaxSweeps && OffDiagonal(matrix, n) > 1e-24 * Diagonal(matrix, n); sweep++)
        {
            for (var p = 0; p < n; p++)
            {
                for (var q = p + 1; q < n; q++)
                    Rotate(matrix, vectors, n, p, q);
            }
        }

        var order = Enumerable.Range(0, n).OrderByDescending(i => matrix[(i * n) + i]).ThenBy(i => i).ToArray();
        var sorted = new double[n * n];
        for (var k = 0; k < n; k++)
        {
            var vector = vectors.AsSpan(order[k] * n, n);
            var largest = 0;
            for (var i = 1; i < n; i++)
            {
                if (Math.Abs(vector[i]) > Math.Abs(vector[largest]))
                    largest = i;
            }

            for (var i = 0; i < n; i++)
                sorted[(k * n) + i] = vector[largest] < 0 ? -vector[i] : vector[i];
        }

        return ([.. order.Select(i => Math.Max(0, matrix[(i * n) + i]))], sorted);
    }

    private static void Rotate(double[] a, double[] vectors, int n, int p, int q)
    {
        var apq = a[(p * n) + q];
        if (apq == 0)
            return;
        var theta = (a[(q * n) + q] - a[(p * n) + p]) / (2 * apq);
        var t = (theta >= 0 ? 1 : -1) / (Math.Abs(theta) + Math.Sqrt((theta * theta) + 1));
        var c = 1 / Math.Sqrt((t * t) + 1);
        var s = t * c;
        for (var k = 0; k < n; k++)
        {
            var (akp, akq) = (a[(k * n) + p], a[(k * n) + q]);
            a[(k * n) + p] = (c * akp) - (s * akq);
            a[(k * n) + q] = (s * akp) + (c * akq);
        }

        for (var k = 0; k < n; k++)
        {
            var (apk, aqk) = (a[(p * n) + k], a[(q * n) + k]);
            a[(p * n) + k] = (c * apk) - (s * aqk);
            a[(q * n) + k] = (s * apk) + (c * aqk);
            var (vpk, vqk) = (vectors[(p * n) + k], vectors[(q * n) + k]);
            vectors[(p * n) + k] = (c * vpk) - (s * vqk);
            vectors[(q * n) + k] = (s * vpk) + (c * vqk);
        }
    }

    private static double OffDiagonal(double[] a, int n)
    {
        double sum = 0;
        for (var i = 0; i < n; i++)
        {
            for (var j = i + 1; j < n; j++)
                sum += a[(i * n) + j] * a[(i * n) + j];
        }

        return sum;
    }

    private static double Diagonal(double[] a, int n)
    {
        double sum = 0;
        for (var i = 0; i < n; i++)
            sum += a[(i * n) + i] * a[(i * n) + i];
        return sum;
    }
}
