<?php

namespace PhpSessions;

/** What php-sessions asks, as JSON on stdin, passwords included. */
final class Asked
{
    public static array $question = [];
    /** What belongs to the answer besides. */
    public static array $more = [];

    public static function read(): void
    {
        self::$question = json_decode(stream_get_contents(STDIN), true, 32, JSON_THROW_ON_ERROR);
    }

    /** How to use one of the stores of the question. PHP takes certificates from files only. */
    public static function settings(string $store): array
    {
        $settings = self::$question['stores'][$store]['settings'];
        foreach (['ca', 'clientCertificate'] as $name) {
            if (isset($settings[$name])) {
                $file = self::$question['directory'] . "/$store-$name.pem";
                file_put_contents($file, $settings[$name]);
                $settings[$name] = $file;
            }
        }
        return $settings;
    }
}

/** The settings of a store, by its name in the question; a page reads them from a file, which may change. */
final class Settings
{
    public array $values;

    public function __construct(string $store, array $needed)
    {
        $this->values = Asked::settings($store);
    }

    public function read(): array
    {
        return $this->values;
    }

    public function isNew(): bool
    {
        return false;
    }
}

/**
 * Runs a program and gives its answer, or why it failed: as a line of JSON on stdout. The last line counts, so a program that
 * may be stopped at any moment gives more than one.
 */
function answer(\Closure $program): void
{
    try {
        Asked::read();
        send($program() + Asked::$more);
    } catch (\Throwable $failure) {
        send(['failed' => explainFailure($failure)]);
    }
}

function send(array $answer): void
{
    fwrite(STDOUT, json_encode($answer, JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION) . "\n");
}
