#ifndef WSROUTER_ENGINE_REDIS_SCRIPTS_H_
#define WSROUTER_ENGINE_REDIS_SCRIPTS_H_

#include <vector>

#include "engine/redis_link.h"

// The scripts of engine/lua/, each with engine/lua/rows.lua in front: keys, arguments and answers
// are described there. cmake/WsrouterLua.cmake makes the definitions of the files.
namespace wsrouter::scripts {

const RedisScript& Assert();
const RedisScript& BeginRewrite();
const RedisScript& Bind();
const RedisScript& CheckHistory();
const RedisScript& Client();
const RedisScript& Clients();
const RedisScript& Count();
const RedisScript& Heartbeat();
const RedisScript& History();
const RedisScript& IsMember();
const RedisScript& Join();
const RedisScript& Leave();
const RedisScript& LogAppend();
const RedisScript& LogBury();
const RedisScript& LogDead();
const RedisScript& LogDelete();
const RedisScript& LogGroups();
const RedisScript& LogLeave();
const RedisScript& LogSettle();
const RedisScript& LogTake();
const RedisScript& LogTrim();
const RedisScript& Members();
const RedisScript& Nodes();
const RedisScript& Publish();
const RedisScript& Reap();
const RedisScript& RestoreLimits();
const RedisScript& Rooms();
const RedisScript& SessionPut();
const RedisScript& SessionTake();
const RedisScript& SetLimit();
const RedisScript& Size();
const RedisScript& Sweep();
const RedisScript& TrimHistory();
const RedisScript& Unbind();

std::vector<const RedisScript*> All();

}  // namespace wsrouter::scripts

#endif  // WSROUTER_ENGINE_REDIS_SCRIPTS_H_
