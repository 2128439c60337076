#ifndef WSROUTER_TESTS_BENCH_PRESSURE_OFFENDERS_H_
#define WSROUTER_TESTS_BENCH_PRESSURE_OFFENDERS_H_

#include "tests/bench/pressure_node.h"

namespace wsrouter {

// What hostile, slow and huge clients and callers do. Each is the body of a Child, says when it is
// set up, and goes on until it is killed. Who is closed comes again at once.
using Offender = void (*)(const NodePorts& ports, int ready);

// 200 members of the room "others" that never read.
void NeverRead(const NodePorts& ports, int ready);
// One client that sends 10,000 small messages a second.
void SendTooMuch(const NodePorts& ports, int ready);
// One that sends Pings of 125 octets as fast as it can, and reads nothing.
void PingWithoutEnd(const NodePorts& ports, int ready);
// One that upgrades and sends random octets, and one that sends them in place of a request.
void SendGarbage(const NodePorts& ports, int ready);
// 1,000 connections of ten addresses that send their request an octet at a time.
void NeverFinishTheirHead(const NodePorts& ports, int ready);
// 400 clients that want to stay.
void WantToStay(const NodePorts& ports, int ready);
// 100 streams of Watch, 60 of Subscribe, and 40 attached services for clients of the path /asked
// that are all asked about; none is read. Something is broadcast 200 times a second.
void WatchWithoutReading(const NodePorts& ports, int ready);
// The same streams of a process that is stopped, so that its sockets fill.
void WatchAndStop(const NodePorts& ports, int ready);
// A room of 1,000 that read, to which a caller pushes 64 KiB, 64 pushes at a time.
void PushToAHugeRoom(const NodePorts& ports, int ready);
// A caller that pushes 64 KiB to a room where nobody is, 64 pushes at a time.
void PushToNobody(const NodePorts& ports, int ready);

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_BENCH_PRESSURE_OFFENDERS_H_
