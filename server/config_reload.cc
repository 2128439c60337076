#include "config_reload.h"

#include "config_key.h"
#include "config_rules.h"
#include "config_value.h"

namespace wsrouter {

absl::StatusOr<ConfigReload> ReloadConfig(const v1::Config& running, const v1::Config& read) {
  ConfigReload reload = {.config = running, .changed = {}, .needs_restart = {}};
  for (const ConfigKeyField& key : ConfigKeys()) {
    const std::vector<std::string> texts = ConfigValueOf(key, read);
    if (texts == ConfigValueOf(key, running)) continue;
    // The value was accepted once and is again.
    const bool set = key.rules->reloadable() && SetConfigValue(key, texts, reload.config).ok();
    (set ? reload.changed : reload.needs_restart).push_back(key.path);
  }
  if (absl::Status rules = CheckConfigRules(reload.config); !rules.ok()) return rules;
  return reload;
}

}  // namespace wsrouter
