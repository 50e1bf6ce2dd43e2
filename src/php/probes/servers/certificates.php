<?php
// TLS with the certificates of the question. Joined to the probes that connect, after tls.php.

/** The TLS options for a host; null where several hosts share them. */
function tlsOptionsFor(?string $host): array
{
    return tlsOptions($host, certificateFile('ca'), certificateFile('clientCertificate'));
}

/**
 * Writes a certificate of the question to a file, as PHP needs it. The asking process removes the directory, even if
 * PHP is killed.
 */
function certificateFile(string $name): ?string
{
    static $files = [];
    $text = $GLOBALS['question'][$name] ?? null;
    if ($text !== null && !isset($files[$name])) {
        $files[$name] = "{$GLOBALS['question']['directory']}/$name.pem";
        file_put_contents($files[$name], $text);
    }
    return $files[$name] ?? null;
}
