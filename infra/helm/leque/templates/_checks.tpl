{{/* What would render, and not work. Takes: root, component. */}}
{{- define "leque.check" -}}
{{- $root := .root -}}
{{- $values := index $root.Values .component -}}
{{- $secret := include "leque.secretName" . -}}
{{- $given := $root.Values.secrets.values -}}
{{- $existing := or $values.existingSecret $root.Values.secrets.existingSecret -}}
{{- if and $root.Values.secrets.existingSecret $given -}}
{{- fail "leque: secrets.existingSecret and secrets.values exclude each other" -}}
{{- end -}}
{{- if and $root.Values.redis.enabled $root.Values.externalRedis.url -}}
{{- fail "leque: redis.enabled and externalRedis.url exclude each other" -}}
{{- end -}}
{{- if and $root.Values.externalRedis.tls.clientCertificate (not $root.Values.externalRedis.tls.existingSecret) -}}
{{- fail "leque: externalRedis.tls.clientCertificate needs externalRedis.tls.existingSecret" -}}
{{- end -}}
{{- if and (include "leque.needsJwtSecret" .) (not $existing) (not $given.JWT_SECRET) -}}
{{- fail (printf "leque: a %s has nothing to verify tokens with. Make a Secret (kubectl create secret generic leque --from-literal=JWT_SECRET=...) and name it in secrets.existingSecret, or set secrets.values.JWT_SECRET, config.JWKS_URL or config.JWT_PUBLIC_KEY" .component) -}}
{{- end -}}
{{- if and $given.JWT_SECRET (lt (len $given.JWT_SECRET) 32) -}}
{{- fail "leque: secrets.values.JWT_SECRET has less than 32 characters" -}}
{{- end -}}
{{- range $key := splitList "," (default "" $given.PUBLISH_API_KEYS) -}}
{{- if and (trim $key) (lt (len (trim $key)) 20) -}}
{{- fail "leque: a key in secrets.values.PUBLISH_API_KEYS has less than 20 characters" -}}
{{- end -}}
{{- end -}}
{{- if not (or (include "leque.redisUrl" $root) $existing $given.REDIS_URL) -}}
{{- fail "leque: no Redis. Set externalRedis.url, or REDIS_URL in the Secret of secrets.existingSecret or in secrets.values, or, for a trial, redis.enabled=true" -}}
{{- end -}}
{{- $silent := add (mul $values.readiness.periodSeconds $values.readiness.failureThreshold) $values.propagationSeconds -}}
{{- if lt (ceil $values.drain.graceSeconds | int64) $silent -}}
{{- fail (printf "leque: %s.drain.graceSeconds is %v, but it takes %d s until nobody is sent to a pod that ends: readiness.periodSeconds * readiness.failureThreshold + propagationSeconds" .component $values.drain.graceSeconds $silent) -}}
{{- end -}}
{{- end -}}
