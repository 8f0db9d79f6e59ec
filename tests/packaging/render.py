"""What Kustomize and Kyverno would make of our manifests: the few operations that those use, no more. Strategic merge goes by the names of list
elements, as for containers, env and volumes; a Kyverno anchor `(name)` selects the elements of that name. An unknown operation raises.
"""
import copy
import os
import re

import yaml


def load(path):
    with open(path, encoding='utf-8') as file:
        return [document for document in yaml.safe_load_all(file) if document]


def merge_key(element):
    return next((key for key in ('name', 'mountPath') if isinstance(element, dict) and key in element), None)


def merged(old, patch):
    """Strategic merge of a patch: maps by key, lists of named elements by name (new ones go to the front), all else is replaced."""
    if isinstance(old, dict) and isinstance(patch, dict):
        result = dict(old)
        for key, value in patch.items():
            result[key] = merged(old[key], value) if key in old else without_anchors(value)
        return result
    if isinstance(old, list) and isinstance(patch, list) and patch and isinstance(patch[0], dict):
        result = list(old)
        for element in patch:
            if '(name)' in element:
                values = {key: value for key, value in element.items() if key != '(name)'}
                result = [merged(each, values) if each.get('name') == element['(name)'] else each for each in result]
                continue
            key = merge_key(element)
            at = next((i for i, each in enumerate(result) if each.get(key) == element[key]), None)
            if at is None:
                result.insert(0, without_anchors(element))
            else:
                result[at] = merged(result[at], element)
        return result
    return without_anchors(patch)


def without_anchors(value):
    if '(name)' in str(value):
        raise ValueError('an anchor in what is new')
    return copy.deepcopy(value)


# --- Kustomize -------------------------------------------------------------------------------------------------------------------

def replaced(node, path, value, options):
    """Sets what a replacement's path names; with `create`, an element `[name=X]` and its field are made where they are missing."""
    step, rest = path[0], path[1:]
    if step == '*':
        for each in node:
            replaced(each, rest, value, options)
        return
    selector = re.fullmatch(r'\[(\w+)=([\w-]+)\]', step)
    if selector:
        key, name = selector.groups()
        element = next((each for each in node if each.get(key) == name), None)
        if element is None:
            if not options.get('create'):
                return
            element = {key: name}
            node.append(element)
        replaced(element, rest, value, options)
    elif rest:
        if step not in node and options.get('create'):
            node[step] = [] if rest[0].startswith('[') else {}
        replaced(node[step], rest, value, options)
    elif options.get('delimiter'):
        if options.get('index') != -1:
            raise ValueError('only a prefix is known')
        node[step] = value + options['delimiter'] + node.get(step, '')
    else:
        node[step] = value


def kustomize(directory):
    """The objects of a kustomization of resources, components and images; the components of resources, patches and replacements."""
    top = load(os.path.join(directory, 'kustomization.yaml'))[0]
    known(top, 'resources', 'components', 'images')
    objects = [each for name in top['resources'] for each in load(os.path.join(directory, name))]
    for name in top['components']:
        objects = component(os.path.join(directory, name), objects)
    for each in objects:
        for container in containers_of(each):
            for image in top['images']:
                if container['image'] == image['name']:
                    container['image'] = '%s:%s' % (image['newName'], image['newTag'])
    return [each for each in objects if each['metadata'].get('annotations', {}).get('config.kubernetes.io/local-config') != 'true']


def known(kustomization, *fields):
    unknown = set(kustomization) - {'apiVersion', 'kind', *fields}
    if unknown:
        raise ValueError('not known here: %s' % unknown)


def component(directory, objects):
    own = load(os.path.join(directory, 'kustomization.yaml'))[0]
    known(own, 'resources', 'patches', 'replacements')
    objects = objects + [each for name in own['resources'] for each in load(os.path.join(directory, name))]
    for patch in own['patches']:
        change = {key: value for key, value in load(os.path.join(directory, patch['path']))[0].items() if key == 'spec'}
        objects = [merged(each, change) if re.fullmatch(patch['target']['kind'], each['kind']) else each for each in objects]
    for entry in own['replacements']:
        for replacement in load(os.path.join(directory, entry['path']))[0]:
            source = replacement['source']
            value = next(each for each in objects if (each['kind'], each['metadata']['name']) == (source['kind'], source['name']))
            for step in source['fieldPath'].split('.'):
                value = value[step]
            for target in replacement['targets']:
                for each in objects:
                    if each['kind'] == target['select']['kind']:
                        for path in target['fieldPaths']:
                            replaced(each, re.findall(r'\[[^]]*\]|[^.\[]+', path), value, target.get('options', {}))
    return objects


def containers_of(each):
    spec = each.get('spec', {}).get('template', {}).get('spec', {})
    return spec.get('containers', []) + spec.get('initContainers', [])


# --- Kyverno ---------------------------------------------------------------------------------------------------------------------

def admitted(policy, pod):
    """The pod as the policy's mutations leave it."""
    for rule in policy['spec']['rules']:
        resources = rule['match']['any'][0]['resources']
        wanted = resources['selector']['matchLabels']
        if pod['kind'] not in resources['kinds'] or any(pod['metadata'].get('labels', {}).get(key) != value for key, value in wanted.items()):
            continue
        mutate = rule['mutate']
        if 'patchStrategicMerge' in mutate:
            pod = merged(pod, mutate['patchStrategicMerge'])
        for loop in mutate.get('foreach', []):
            if loop['list'] != 'request.object.spec.containers':
                raise ValueError('not known here: ' + loop['list'])
            for element in pod['spec']['containers']:
                if all(holds(condition, element) for condition in loop['preconditions']['all']):
                    pod = merged(pod, filled(loop['patchStrategicMerge'], element))
    return pod


def holds(condition, element):
    if condition['operator'] != 'AnyNotIn' or condition['value'] != '{{ element.env[].name || `[]` }}':
        raise ValueError('not known here: %s' % condition)
    return condition['key'] not in [each['name'] for each in element.get('env', [])]


def filled(value, element):
    if isinstance(value, dict):
        return {key: filled(each, element) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, element) for each in value]
    if isinstance(value, str):
        value = value.replace('{{ element.name }}', element['name'])
        if '{{' in value:
            raise ValueError('not known here: ' + value)
    return value
