#ifndef WSROUTER_ENGINE_REDIS_LOG_VALUES_H_
#define WSROUTER_ENGINE_REDIS_LOG_VALUES_H_

#include <optional>
#include <string>
#include <string_view>

#include "core/event_log.h"
#include "engine/redis_value.h"

namespace wsrouter {

// How the log's scripts (engine/lua/) name what core/event_log.h has.

// An ending as a row's scripts take it: "<cause> <code>", or nothing for a release.
std::string EndingText(const Ending& ending);
// wire.Labels, or nothing where there are none.
std::string LabelsText(const Labels& labels);

std::string_view LogKindText(LogKind kind);

// What a node wants: "<partitions> <entries of each>", or nothing for no log.
std::string LogWanted(const EventLogOptions& options);

// The most entries of one partition, and dead letters of one group.
uint64_t LogPartitionMax(const EventLogOptions& options);

// The entry whose fields begin at `first`, appended as `id` of `partition`. Nothing for one that
// this version does not know.
std::optional<LogEntry> LogEntryFrom(const RedisValue::Array& words, size_t first,
                                     std::string_view partition, std::string_view id);

// How often a dead letter was handed out, by its fields.
uint64_t DeliveriesFrom(const RedisValue::Array& words, size_t first);

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_REDIS_LOG_VALUES_H_
