<?php

namespace PhpSessions;

/** Counts sessions by what can be known of them without reading them: their bytes, and the seconds that they have to live. */
final class Census
{
    /** To this many seconds; with 30 days there are half a million of them. */
    private const PRECISION = 5;
    /** Distinct sizes that are counted: an app whose first pages differ more has no most frequent size. */
    private const SIZES = 10_000;
    private const LARGEST = 10;

    public int $sessions = 0;
    public int $eternal = 0;
    public int $overdue = 0;
    public int $bytes = 0;
    /** @var array<int, int> sessions by what they have to live, in steps of the precision */
    private array $lives = [];
    /** @var array<int, int> sessions by size */
    private array $sizes = [];
    /** @var list<array{int, string}> */
    private array $largest = [];

    public function add(string $key, int $bytes, ?float $seconds): void
    {
        $this->sessions++;
        $this->bytes += $bytes;
        if ($seconds === null) {
            $this->eternal++;
        } else {
            $this->overdue += $seconds < 0 ? 1 : 0;
            $step = (int) ceil($seconds / self::PRECISION);
            $this->lives[$step] = ($this->lives[$step] ?? 0) + 1;
        }
        if (isset($this->sizes[$bytes]) || count($this->sizes) < self::SIZES) {
            $this->sizes[$bytes] = ($this->sizes[$bytes] ?? 0) + 1;
        }
        if ($bytes > ($this->largest[self::LARGEST - 1][0] ?? -1)) {
            $this->largest[] = [$bytes, $key];
            usort($this->largest, fn (array $a, array $b): int => $b[0] <=> $a[0]);
            array_splice($this->largest, self::LARGEST);
        }
    }

    /** `$lifetime` is that of a session from its last request on; an app may have set a longer one. */
    public function answer(int $lifetime, array $ages, int $firstLifetime, bool $hasIds): array
    {
        $longest = max([0, ...array_keys($this->lives)]) * self::PRECISION;
        $life = $longest > $lifetime + self::PRECISION ? $longest : $lifetime;
        $active = array_fill(0, count($ages), 0);
        $short = 0;
        foreach ($this->lives as $step => $count) {
            $left = $step * self::PRECISION;
            $short += $left <= $firstLifetime ? $count : 0;
            foreach ($ages as $i => $age) {
                $active[$i] += $life - $left <= $age ? $count : 0;
            }
        }
        arsort($this->sizes);
        $size = array_key_first($this->sizes);
        return [
            'time' => time(),
            'lifetime' => $life,
            'sessions' => $this->sessions,
            'eternal' => $this->eternal,
            'overdue' => $this->overdue,
            'bytes' => $this->bytes,
            'active' => $active,
            'short' => $short,
            'frequent' => $size === null ? null : ['bytes' => $size, 'sessions' => $this->sizes[$size]],
            'largest' => array_map(fn (array $one): array => ['bytes' => $one[0], 'id' => $hasIds ? $one[1] : null], $this->largest),
        ];
    }
}

answer(function (): array {
    ['lifetime' => $lifetime, 'ages' => $ages, 'firstLifetime' => $firstLifetime, 'ids' => $hasIds] = Asked::$question;
    $store = openStore('main');
    $progress = new Progress('counted', $store->total());
    $census = new Census();
    foreach ($store->keys() as $keys) {
        foreach ($store->measure($keys) as $key => [$bytes, $seconds]) {
            $census->add((string) $key, $bytes, $seconds);
        }
        $progress->add(count($keys));
    }
    $progress->end();
    return $census->answer($lifetime, $ages, $firstLifetime, $hasIds);
});
