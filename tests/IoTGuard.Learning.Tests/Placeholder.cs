namespace IoTGuard.Learning.Tests;
public sealed class Placeholder { [Fact] public void RepositoryIsFound() => Assert.True(File.Exists(TestSupport.Repository.PathOf("IoTGuard.slnx"))); }
