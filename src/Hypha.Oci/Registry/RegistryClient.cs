using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Hypha.Oci.Content;
using Hypha.Oci.Manifests;

namespace Hypha.Oci.Registry;

/// <summary>
/// Pulls from one repository of a registry, anonymously (OCI distribution-spec, "Pulling"). Every answer is hostile until its
/// digest is right: sizes are bounded, redirects counted, and the token is sent to the registry's own host alone.
/// </summary>
internal sealed class RegistryClient : ContentSource, IDisposable
{
    private const int MaxRedirects = 5;
    private const int MaxHeaderKiB = 64;
    private const int MaxTokenBytes = 64 << 10;

    private readonly ImageReference _reference;
    private readonly ImageStoreOptions _options;
    private readonly Uri _base;
    private readonly HttpClient _http;
    private readonly SemaphoreSlim _tokenLock = new(1);
    private string? _token;

    internal RegistryClient(ImageReference reference, ImageStoreOptions options)
    {
        _reference = reference;
        _options = options;
        _base = RegistryHost.BaseUri(reference.Host, options.InsecureRegistries);
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, // followed here, without the token
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None, // digests are of what is stored
            ConnectTimeout = options.AnswerTimeout,
            MaxResponseHeadersLength = MaxHeaderKiB,
            MaxConnectionsPerServer = 16,
            MaxResponseDrainSize = 0,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan, // per answer and per read instead
        };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("hypha", "0.1"));
    }

    public void Dispose()
    {
        _http.Dispose();
        _tokenLock.Dispose();
    }

    /// <summary>What the reference means at the registry now, without its content; null when the registry does not say.</summary>
    internal async Task<Sha256Digest?> FindDigestAsync(CancellationToken cancellation)
    {
        using HttpResponseMessage response = await SendAsync(HttpMethod.Head, ManifestUri(_reference.Selector), manifest: true, cancellation).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.MethodNotAllowed)
            return null;
        ThrowUnlessFound(response, _reference.ToString());
        return AnnouncedDigest(response);
    }

    /// <summary>Manifest or index that the reference means.</summary>
    internal async Task<(byte[] Document, Sha256Digest Digest)> ReadTopManifestAsync(int maxBytes, CancellationToken cancellation)
    {
        using HttpResponseMessage response = await SendAsync(HttpMethod.Get, ManifestUri(_reference.Selector), manifest: true, cancellation).ConfigureAwait(false);
        ThrowUnlessFound(response, _reference.ToString());
        string what = $"the manifest of {_reference}";
        byte[] document = await ReadDocumentAsync(response, maxBytes, what, cancellation).ConfigureAwait(false);
        Sha256Digest digest = Sha256Digest.Of(document);
        if (_reference.Digest is { } wanted && digest != wanted)
            throw new ImageException($"{_reference.Host} sent a manifest with the digest {digest} for {_reference}. The image is refused; nothing was kept.");
        if (AnnouncedDigest(response) is { } announced && digest != announced)
            throw new ImageException($"{_reference.Host} sent a manifest with the digest {digest} for {_reference}, but announced {announced}. The image is refused; nothing was kept.");
        return (document, digest);
    }

    internal override async Task<Stream> OpenBlobAsync(Descriptor descriptor, string what, CancellationToken cancellation)
    {
        Uri uri = new(_base, $"v2/{_reference.Repository}/blobs/{descriptor.Digest}");
        HttpResponseMessage response = await SendAsync(HttpMethod.Get, uri, manifest: false, cancellation).ConfigureAwait(false);
        try
        {
            ThrowUnlessFound(response, what);
            if (response.Content.Headers.ContentLength is { } length && length != descriptor.Size)
                throw new ImageException($"{_reference.Host} announces {length} bytes for {what} of {_reference}, but its manifest says {descriptor.Size}. The image is refused; nothing was kept.");
            Stream body = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
            return new DownloadStream(response, body, $"{what} of {_reference}", _options.StallTimeout, cancellation);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    protected override async Task<byte[]> ReadManifestAsync(Descriptor descriptor, string what, int maxBytes, CancellationToken cancellation)
    {
        using HttpResponseMessage response = await SendAsync(HttpMethod.Get, ManifestUri(descriptor.Digest.ToString()), manifest: true, cancellation).ConfigureAwait(false);
        ThrowUnlessFound(response, what);
        byte[] document = await ReadDocumentAsync(response, maxBytes, what, cancellation).ConfigureAwait(false);
        Verify(document, descriptor, what);
        return document;
    }

    private Uri ManifestUri(string selector) => new(_base, $"v2/{_reference.Repository}/manifests/{selector}");

    private async Task<byte[]> ReadDocumentAsync(HttpResponseMessage response, int maxBytes, string what, CancellationToken cancellation)
    {
        Stream body = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        using var download = new DownloadStream(response, body, what, _options.StallTimeout, cancellation);
        return await DocumentReader.ReadAsync(download, maxBytes, what, cancellation).ConfigureAwait(false);
    }

    // One request: with the token if there is one, a token fetched once when asked for, redirects followed.
    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, Uri uri, bool manifest, CancellationToken cancellation)
    {
        bool challenged = false;
        for (int redirects = 0; ;)
        {
            string? token = SameOrigin(uri, _base) ? _token : null;
            HttpResponseMessage response = await AnswerAsync(method, uri, manifest, token, cancellation).ConfigureAwait(false);
            if (response.StatusCode == HttpStatusCode.Unauthorized && !challenged && SameOrigin(uri, _base))
            {
                challenged = true;
                AuthenticationHeaderValue? bearer = response.Headers.WwwAuthenticate.FirstOrDefault(c => c.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase));
                response.Dispose();
                if (!BearerChallenge.TryParse(bearer?.Parameter, out BearerChallenge? challenge))
                    throw new ImageException($"{_reference.Host} wants a login for {_reference}, and Hypha pulls anonymously");
                await FetchTokenAsync(challenge, token, cancellation).ConfigureAwait(false);
            }
            else if (response.StatusCode is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther
                or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect)
            {
                Uri? location = response.Headers.Location;
                response.Dispose();
                if (++redirects > MaxRedirects)
                    throw new ImageException($"{_reference.Host} redirects {_reference} more than {MaxRedirects} times");
                Uri next = location is null ? throw new ImageException($"{_reference.Host} redirects {_reference} to nowhere") : new Uri(uri, location);
                bool downgrade = uri.Scheme == Uri.UriSchemeHttps && next.Scheme != Uri.UriSchemeHttps;
                if (downgrade || (next.Scheme != Uri.UriSchemeHttps && next.Scheme != Uri.UriSchemeHttp))
                    throw new ImageException($"{_reference.Host} redirects {_reference} to {Printable.Quote(next.GetLeftPart(UriPartial.Authority))}, which is not safe to follow");
                uri = next;
            }
            else
                return response;
        }
    }

    private async Task<HttpResponseMessage> AnswerAsync(HttpMethod method, Uri uri, bool manifest, string? token, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, uri);
        if (token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        foreach (string type in manifest ? s_manifestTypes : [])
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(type));
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(_options.AnswerTimeout);
        try
        {
            return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, timeout.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new ImageException($"{uri.Authority} does not answer (waited {_options.AnswerTimeout.TotalSeconds:0} s for {_reference}). Check the network, or try again later.");
        }
        catch (HttpRequestException e)
        {
            throw new ImageException($"cannot reach {uri.Authority} for {_reference}: {Reason(e, uri)}", e);
        }
    }

    private async Task FetchTokenAsync(BearerChallenge challenge, string? stale, CancellationToken cancellation)
    {
        await _tokenLock.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (_token != stale)
                return; // another layer's request was faster
            if (challenge.Realm.Scheme != Uri.UriSchemeHttps && _base.Scheme == Uri.UriSchemeHttps)
                throw new ImageException($"{_reference.Host} hands out its tokens without encryption at {Printable.Quote(challenge.Realm.Authority)}; that is not safe");
            Uri uri = challenge.TokenUri(_reference.Repository);
            using HttpResponseMessage response = await AnswerAsync(HttpMethod.Get, uri, manifest: false, token: null, cancellation).ConfigureAwait(false);
            if (response.StatusCode != HttpStatusCode.OK)
                throw new ImageException($"{uri.Authority} gives no anonymous access to {_reference} (HTTP {(int)response.StatusCode})");
            byte[] json = await ReadDocumentAsync(response, MaxTokenBytes, $"the token of {uri.Authority}", cancellation).ConfigureAwait(false);
            TokenDocument document = DocumentParser.Parse(json, DocumentContext.Default.TokenDocument, $"the token of {uri.Authority}");
            string? token = document.Token ?? document.AccessToken;
            if (string.IsNullOrEmpty(token) || token.Any(c => c is <= ' ' or > '~'))
                throw new ImageException($"{uri.Authority} sent no token that can be used");
            _token = token;
        }
        finally
        {
            _tokenLock.Release();
        }
    }

    private void ThrowUnlessFound(HttpResponseMessage response, string what)
    {
        int status = (int)response.StatusCode;
        string host = _reference.Host;
        switch (status)
        {
            case 200:
                return;
            case 404:
                throw new ImageException(what == _reference.ToString()
                    ? $"{host} has no image {_reference}; check the name and the tag"
                    : $"{host} lacks {what} of {_reference}: the image there is not complete");
            case 401 or 403:
                throw new ImageException($"{host} gives no anonymous access to {_reference} (HTTP {status}); check the name, or make it public");
            case 429:
                throw new ImageException($"{host} answers that it was asked too often (HTTP 429) for {_reference}; try again later");
            default:
                throw new ImageException($"{host} answers HTTP {status} for {what}{(what == _reference.ToString() ? "" : $" of {_reference}")}{(status >= 500 ? "; try again later" : "")}");
        }
    }

    private static Sha256Digest? AnnouncedDigest(HttpResponseMessage response) =>
        response.Headers.TryGetValues("Docker-Content-Digest", out IEnumerable<string>? values) && Sha256Digest.TryParse(values.FirstOrDefault(), out Sha256Digest digest)
            ? digest
            : null;

    private static bool SameOrigin(Uri a, Uri b) => a.Scheme == b.Scheme && a.Host == b.Host && a.Port == b.Port;

    private static string Reason(HttpRequestException e, Uri uri) => e switch
    {
        { HttpRequestError: HttpRequestError.NameResolutionError } => "its name cannot be resolved",
        { HttpRequestError: HttpRequestError.SecureConnectionError } =>
            $"the encrypted connection failed ({e.InnerException?.Message ?? e.Message}). A registry without TLS must be named insecure.",
        { InnerException: SocketException { SocketErrorCode: SocketError.ConnectionRefused } } => $"nothing listens on port {uri.Port}",
        { InnerException: SocketException socket } => socket.Message,
        { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } => "its headers are too large",
        { HttpRequestError: HttpRequestError.ResponseEnded or HttpRequestError.InvalidResponse } => "its answer is no HTTP or was cut off",
        _ => e.GetBaseException().Message, // the outer one says only that an error occurred
    };

    private static readonly string[] s_manifestTypes = [MediaTypes.OciManifest, MediaTypes.OciIndex, MediaTypes.DockerManifest, MediaTypes.DockerList];
}
