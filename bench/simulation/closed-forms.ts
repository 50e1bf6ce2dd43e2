// What queues do that mathematics has an answer for; `load` is arrivals a second times seconds of service.

/** M/M/1: the mean seconds that a customer waits. */
export function waitMM1(arrivals: number, service: number): number {
  const load = arrivals * service
  return (load * service) / (1 - load)
}

/** M/D/1 (Pollaczek and Khinchine): half of that, where each service takes as long as any other. */
export function waitMD1(arrivals: number, service: number): number {
  return waitMM1(arrivals, service) / 2
}

/** M/M/c (Erlang C): the part of the customers who wait at all. */
export function partThatWaits(servers: number, load: number): number {
  if (load >= servers) return 1
  // Erlang B, by its recursion, which does not overflow.
  let blocked = 1
  for (let i = 1; i <= servers; i++) blocked = (load * blocked) / (i + load * blocked)
  return blocked / (1 - (load / servers) * (1 - blocked))
}

/** M/M/c: the mean seconds that a customer waits. */
export function waitMMc(servers: number, arrivals: number, service: number): number {
  return (partThatWaits(servers, arrivals * service) * service) / (servers - arrivals * service)
}

/** The least number of workers with which at most this part of the requests waits for one. */
export function workersFor(load: number, part: number): number {
  let workers = Math.floor(load) + 1
  while (partThatWaits(workers, load) > part) workers++
  return workers
}

/** How many of so many masters a worker is connected to after this many pages of visitors who are spread evenly. */
export function mastersReached(masters: number, pages: number): number {
  return masters * (1 - (1 - 1 / masters) ** pages)
}
