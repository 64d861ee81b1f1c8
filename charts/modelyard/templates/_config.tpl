{{/* operator.yaml, as modelyard/runtime reads it: an unknown key is an error there. */}}
{{- define "modelyard.config" -}}
{{- include "modelyard.store.check" . -}}
{{- $store := dict "uri" (include "modelyard.store.uri" .) "region" .Values.store.region -}}
{{- with include "modelyard.store.endpoint" . }}{{ $_ := set $store "endpoint" . }}{{ end -}}
store:
  {{- toYaml $store | nindent 2 }}
storeSecret: {{ include "modelyard.store.secret" . | default nil | toJson }}
serviceAccount: {{ .Values.workloads.serviceAccount | default nil | toJson }}
allowUnsafeFormats: {{ .Values.workloads.allowUnsafeFormats }}
images:
  {{- range list "dataset" "training" "serving" "drift" "servingTorch" "driftTorch" }}
  {{ . }}: {{ include "modelyard.image" (list $ .) | quote }}
  {{- end }}
imagePullPolicy: {{ .Values.images.pullPolicy }}
pendingSeconds: {{ .Values.operator.pendingSeconds }}
pollSeconds: {{ .Values.operator.pollSeconds }}
resyncSeconds: {{ .Values.operator.resyncSeconds }}
workers: {{ .Values.operator.workers }}
writesPerSecond: {{ .Values.operator.writesPerSecond }}
namespaces: {{ ternary (list) .Values.workloadNamespaces (eq .Values.scope "Cluster") | toJson }}
lease: {namespace: {{ .Release.Namespace }}, name: {{ include "modelyard.fullname" . }}}
healthPort: 8080
logFormat: {{ .Values.operator.logFormat }}
logLevel: {{ .Values.operator.logLevel }}
{{- end -}}
