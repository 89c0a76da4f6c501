using System.CommandLine;
using Grpc.Core;
using Hypha.Ctl.CommandLine;
using Hypha.Ctl.Display;
using Hypha.Oci;
using Hypha.Protocol.Control;

namespace Hypha.Ctl.Commands;

/// <summary><c>hyphactl image</c>: images in hyphad's cache, and images on disk.</summary>
internal static class ImageCommand
{
    public static Command Build() => new("image", "Pulls, lists and packs images.") { BuildPull(), BuildList(), BuildPack() };

    private static Command BuildPull()
    {
        var image = new Argument<string>("IMAGE") { Description = "[HOST[:PORT]/]PATH[:TAG][@DIGEST]" };
        var insecure = new Option<bool>("--insecure") { Description = "over HTTP, or from a registry with an unknown certificate" };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "no progress" };
        var command = new Command("pull", "Fetches an image into the cache, packed as launch needs it. Prints its digest.") { image, insecure, quiet };
        command.SetAction(async result =>
        {
            using var interruption = new Interruption();
            using var connection = result.Connect();
            var request = new PullImageRequest { Image = result.GetValue(image), Insecure = result.GetValue(insecure) };
            return await Failures.Explained($"cannot pull {request.Image}", ExitCode.Failure, async () =>
            {
                await using var progress = ProgressDisplay.OnStandardError(result.GetValue(quiet));
                using var call = connection.Client.PullImage(request, cancellationToken: interruption.Token);
                string digest = "";
                await foreach (var update in call.ResponseStream.ReadAllAsync(interruption.Token).ConfigureAwait(false))
                {
                    if (update.EventCase == PullImageEvent.EventOneofCase.Progress)
                        progress.Report(update.Progress);
                    else if (update.EventCase == PullImageEvent.EventOneofCase.Image)
                        digest = update.Image.Digest;
                }
                await progress.DisposeAsync().ConfigureAwait(false);
                StandardText.Out.WriteLine(digest);
                return ExitCode.Ok;
            }).ConfigureAwait(false);
        });
        return HelpWithExamples.Add(command, """
            hyphactl image pull debian:12
            hyphactl image pull --insecure registry.local:5000/app:3
            """);
    }

    private static Command BuildList()
    {
        var output = OutputFormat.Option();
        var quiet = new Option<bool>("--quiet", "-q") { Description = "digests alone" };
        var command = new Command("list", "Lists the images in the cache.") { output, quiet };
        command.Aliases.Add("ls");
        command.SetAction((result, cancellation) => Failures.Explained("cannot list images", ExitCode.Failure, async () =>
        {
            using var connection = result.Connect();
            var response = await connection.Client.ListImagesAsync(new ListImagesRequest(), cancellationToken: cancellation).ConfigureAwait(false);
            if (result.GetValue(quiet))
            {
                foreach (var image in response.Images)
                    StandardText.Out.WriteLine(image.Digest);
            }
            else if (result.GetValue(output) == OutputFormat.Json)
            {
                Json.Print(response.Images.Select(View).ToArray(), JsonViews.Default.ImageViewArray);
            }
            else
            {
                Print(response.Images, DateTimeOffset.UtcNow);
            }
            return ExitCode.Ok;
        }));
        return HelpWithExamples.Add(command, "hyphactl image list --output json");
    }

    private static Command BuildPack()
    {
        var from = new Option<string>("--from")
        {
            Description = "the image: oci:DIR[:TAG], oci-archive:FILE[:TAG] or docker-archive:FILE[:REF]",
            HelpName = "SOURCE",
            Required = true,
        };
        var file = new Option<string>("--output", "-o") { Description = "the squashfs to write", HelpName = "FILE", Required = true };
        var level = new Option<int>("--level")
        {
            Description = "zstd's compression level, 1 to 22",
            HelpName = "N",
            DefaultValueFactory = _ => PackOptions.Default.CompressionLevel,
        };
        level.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && (!int.TryParse(token.Value, out int number) || number is < 1 or > 22))
                result.AddError($"\"{token.Value}\" is no level of zstd; give a number from 1 to 22");
        });
        var workers = new Option<int>("--workers") { Description = "threads that compress (default one a core)", HelpName = "N" };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "no progress" };
        var command = new Command("pack", "Turns an image on disk into a squashfs. Needs no root, no Xen and no daemon. Prints the image's digest.")
        {
            from, file, level, workers, quiet,
        };
        command.SetAction(async result =>
        {
            using var interruption = new Interruption();
            string source = result.GetValue(from)!;
            return await Failures.Explained($"cannot pack {source}", ExitCode.Failure, async () =>
            {
                var options = PackOptions.Default with { CompressionLevel = result.GetValue(level), Workers = Math.Max(result.GetValue(workers), 0) };
                await using var progress = ProgressDisplay.OnStandardError(result.GetValue(quiet));
                var packed = await ImagePacker.PackAsync(ImageSource.Parse(source), result.GetValue(file)!, options,
                    new PackProgress(progress), interruption.Token).ConfigureAwait(false);
                await progress.DisposeAsync().ConfigureAwait(false);
                foreach (string warning in packed.Warnings)
                    Failures.Say($"note: {warning}");
                StandardText.Out.WriteLine(packed.Digest);
                return ExitCode.Ok;
            }).ConfigureAwait(false);
        });
        return HelpWithExamples.Add(command, """
            hyphactl image pack --from oci:./image:latest -o image.squashfs
            hyphactl image pack --from docker-archive:saved.tar -o image.squashfs --level 15
            """);
    }

    private static void Print(IEnumerable<Image> images, DateTimeOffset now)
    {
        var table = new TextTable("IMAGE", "DIGEST", "PULLED", "SIZE");
        foreach (var image in images)
        {
            foreach (string reference in image.References.DefaultIfEmpty("<none>"))
            {
                string hex = image.Digest[(image.Digest.IndexOf(':', StringComparison.Ordinal) + 1)..];
                table.Add(reference, hex.Length > 12 ? hex[..12] : hex,
                    UnixTime.OrNull(image.CreatedUnixMs) is { } created ? $"{Amounts.Span(now - created)} ago" : "", Amounts.Bytes(image.Size));
            }
        }
        table.Print();
    }

    private static ImageView View(Image image) => new(image.Digest, image.References, image.Size, UnixTime.OrNull(image.CreatedUnixMs));

    /// <summary>The packer's steps in the words of the display.</summary>
    private sealed class PackProgress(ProgressDisplay display) : IProgress<ImageProgress>
    {
        public void Report(ImageProgress value)
        {
            string step = value.Step switch
            {
                ImageStep.Resolving => "resolve",
                ImageStep.ReadingLayers => "read",
                ImageStep.Packing => "pack",
                _ => "",
            };
            if (step.Length > 0)
                display.Report(new Progress { Step = step, Detail = value.Detail, Done = (ulong)Math.Max(value.Done, 0), Total = (ulong)Math.Max(value.Total, 0) });
        }
    }
}
