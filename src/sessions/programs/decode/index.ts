import decode from './decode.php'
import igbinary from './igbinary.php'
import msgpack from './msgpack.php'
import reader from './reader.php'
import serialized from './serialized.php'

/** PHP files that read a session in each of the formats that PHP can write. */
export const DECODE: readonly string[] = [reader, serialized, igbinary, msgpack, decode]
