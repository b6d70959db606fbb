{{/* Takes: root, component. */}}
{{- define "leque.podSpec" -}}
{{- $scope := . -}}
{{- $values := index .root.Values .component -}}
serviceAccountName: {{ include "leque.serviceAccountName" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: {{ include "leque.terminationGracePeriodSeconds" . }}
securityContext: {{- toYaml .root.Values.podSecurityContext | nindent 2 }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: {{ .component }}
    image: {{ include "leque.image" . }}
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    securityContext: {{- toYaml .root.Values.containerSecurityContext | nindent 6 }}
    envFrom:
      - configMapRef:
          name: {{ include "leque.fullname" .root }}-{{ .component }}
    env:
      - name: NODE_ID
        valueFrom:
          fieldRef:
            fieldPath: metadata.name
      {{- with include "leque.redisEnv" .root }}{{ . | trim | nindent 6 }}{{ end }}
      {{- with include "leque.redisTlsEnv" .root }}{{ . | trim | nindent 6 }}{{ end }}
      {{- with include "leque.secretEnv" . }}{{ . | trim | nindent 6 }}{{ end }}
      {{- with $values.extraEnv }}{{ toYaml . | nindent 6 }}{{ end }}
    ports:
      - name: http
        containerPort: {{ $values.port }}
      {{- with $values.operationsPort }}
      - name: operations
        containerPort: {{ . }}
      {{- end }}
    # Both ports answer probes. Probes use this one, because clients need it.
    # No preStop: DRAIN_GRACE is the wait that one would be there for.
    startupProbe:
      httpGet: { path: /healthz, port: http }
      {{- toYaml $values.startup | nindent 6 }}
    livenessProbe:
      httpGet: { path: /healthz, port: http }
      {{- toYaml $values.liveness | nindent 6 }}
    readinessProbe:
      httpGet: { path: /readyz, port: http }
      {{- toYaml $values.readiness | nindent 6 }}
    resources: {{- toYaml $values.resources | nindent 6 }}
    {{- if .root.Values.externalRedis.tls.existingSecret }}
    volumeMounts:
      - name: redis-tls
        mountPath: {{ include "leque.redisTlsPath" .root }}
        readOnly: true
    {{- end }}
{{- with .root.Values.externalRedis.tls.existingSecret }}
volumes:
  - name: redis-tls
    secret: { secretName: {{ . }} }
{{- end }}
{{- with $values.topologySpread }}
topologySpreadConstraints:
  {{- range $key := . }}
  - topologyKey: {{ $key }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "leque.selectorLabels" $scope | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end }}
{{- range $key := list "nodeSelector" "tolerations" "affinity" }}
{{- with index $values $key }}
{{ $key }}: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}
