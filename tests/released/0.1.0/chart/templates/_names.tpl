{{- define "modelyard.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "modelyard.fullname" -}}
{{- $name := include "modelyard.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "modelyard.store.fullname" -}}
{{- include "modelyard.fullname" . }}-store
{{- end -}}

{{- define "modelyard.serviceAccountName" -}}
{{- .Values.operator.serviceAccount.name | default (include "modelyard.fullname" .) -}}
{{- end -}}

{{/* managed-by is the release's, so no object of the chart looks like a child of the operator (managed-by: modelyard). */}}
{{- define "modelyard.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/name: {{ include "modelyard.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: modelyard
{{- end -}}

{{/* Call with (list $ "operator"). */}}
{{- define "modelyard.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "modelyard.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* Call with (list $ "operator"): the reference with registry and tag filled in. */}}
{{- define "modelyard.image" -}}
{{- $root := index . 0 -}}
{{- $images := $root.Values.images -}}
{{- $image := get $images (index . 1) -}}
{{- $parts := splitList "/" $image -}}
{{- $first := first $parts -}}
{{- if and $images.registry (gt (len $parts) 1) (or (contains "." $first) (contains ":" $first) (eq $first "localhost")) -}}
{{- $parts = rest $parts -}}
{{- end -}}
{{- if $images.registry -}}
{{- $parts = prepend $parts (trimSuffix "/" $images.registry) -}}
{{- end -}}
{{- $reference := join "/" $parts -}}
{{- if not (or (contains "@" $image) (contains ":" (last $parts))) -}}
{{- $reference = printf "%s:%s" $reference ($images.tag | default $root.Chart.AppVersion) -}}
{{- end -}}
{{- $reference -}}
{{- end -}}
