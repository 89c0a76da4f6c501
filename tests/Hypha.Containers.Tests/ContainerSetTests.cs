using Hypha.Containers.Life;
using Hypha.Containers.Output;
using Hypha.Containers.Records;

namespace Hypha.Containers.Tests;

public sealed class ContainerSetTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("hypha-set").FullName;
    private readonly ContainerSet _set = new();

    [Fact]
    public void A_container_is_found_by_name_uuid_and_unique_prefix()
    {
        var web = Add("0a1b2c3d-0000-4000-8000-000000000001", "web");
        var other = Add("0a1b2c3e-0000-4000-8000-000000000002", "");
        Assert.Same(web, _set.Find("web"));
        Assert.Same(web, _set.Find("0a1b2c3d"));
        Assert.Same(web, _set.Find("0a1b2c3d-0000-4000-8000-000000000001"));
        Assert.Same(other, _set.Find("0A1B2C3E0000"));
    }

    [Fact]
    public void An_ambiguous_prefix_names_the_candidates()
    {
        Add("0a1b2c3d-0000-4000-8000-000000000001", "");
        Add("0a1b2c3e-0000-4000-8000-000000000002", "");
        var error = Assert.Throws<ContainerException>(() => _set.Find("0a1b"));
        Assert.Equal(ContainerError.InvalidArgument, error.Error);
        Assert.Contains("0a1b2c3d-0000-4000-8000-000000000001", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("")]
    [InlineData("0a1b2c3d-0000-4000-8000-000000000009")]
    [InlineData("%00;rm")]
    public void What_is_not_there_is_not_found(string text)
    {
        Add("0a1b2c3d-0000-4000-8000-000000000001", "web");
        Assert.Equal(ContainerError.NotFound, Assert.Throws<ContainerException>(() => _set.Find(text)).Error);
    }

    [Fact]
    public void A_taken_name_is_refused_until_its_container_goes()
    {
        var web = Add("0a1b2c3d-0000-4000-8000-000000000001", "web");
        var error = Assert.Throws<ContainerException>(() => _set.Reserve("web", ContainerId.New()));
        Assert.Equal(ContainerError.AlreadyExists, error.Error);
        _set.Remove(web);
        _set.Reserve("web", ContainerId.New());
    }

    [Theory]
    [InlineData("-leading")]
    [InlineData("a b")]
    [InlineData("a/b")]
    [InlineData("a\n")]
    public void A_bad_name_is_refused(string name) =>
        Assert.Equal(ContainerError.InvalidArgument, Assert.Throws<ContainerException>(() => ContainerName.Check(name)).Error);

    public void Dispose()
    {
        foreach (var container in _set.All)
            container.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private Container Add(string uuid, string name)
    {
        Assert.True(ContainerId.TryParse(uuid, out var id));
        var directory = new ContainerDirectory(_directory, id);
        directory.Create();
        var record = new ContainerRecord { Id = id, Name = name, Image = "image" };
        directory.Write(record);
        Assert.Equivalent(record, directory.TryRead());
        _set.Reserve(name, id);
        var container = new Container(record, directory);
        _set.Add(container);
        return container;
    }
}
